package pods

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

const dialTimeout = 10 * time.Second

// proxy is the forward proxy through which the controllers reach the cluster's Services and the simulated Internet.
type proxy struct {
	network *network
	// upstream is the host:port of the simulated Internet's proxy.
	upstream string
	forward  *httputil.ReverseProxy
	// failures maps hosts to the text of their last failure.
	failures sync.Map
}

// serveProxy serves the proxy until ctx ends.
func serveProxy(ctx context.Context, listener net.Listener, n *network, upstream string) {
	p := &proxy{network: n, upstream: upstream}
	outside := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: upstream})}
	inside := &http.Transport{DialContext: p.dial}
	p.forward = &httputil.ReverseProxy{
		Rewrite: func(*httputil.ProxyRequest) {},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			_, isInside, err := n.resolve(hostAndPort(r.URL))
			if err != nil {
				return nil, err
			}
			if isInside {
				return inside.RoundTrip(r)
			}
			return outside.RoundTrip(r)
		}),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			http.Error(w, err.Error(), p.failed(r.Host, err))
		},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: dialTimeout, ErrorLog: log.New(io.Discard, "", 0)}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Printf("pods: the cluster network's proxy ended: %v", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	case r.URL.Scheme != "http" || r.URL.Host == "":
		http.Error(w, "this is a forward proxy: ask for a whole http URL, or CONNECT", http.StatusBadRequest)
	default:
		p.forward.ServeHTTP(w, r)
	}
}

// tunnel serves CONNECT.
func (p *proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	target, err := p.dial(r.Context(), "tcp", r.Host)
	status := p.failed(r.Host, err)
	client, buffered, hijacked := w.(http.Hijacker).Hijack()
	if hijacked != nil {
		http.Error(w, hijacked.Error(), http.StatusInternalServerError)
		return
	}
	defer client.Close()
	if err != nil {
		// The reason is in the status line, because Go's clients show only that.
		fmt.Fprintf(client, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status, oneLine(err))
		return
	}
	defer target.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	done := make(chan struct{}, 2)
	copyAll := func(to net.Conn, from io.Reader) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		done <- struct{}{}
	}
	go copyAll(target, buffered)
	go copyAll(client, target)
	<-done
	<-done
}

// dial connects to a Service's process, or to any other address through the simulated Internet's proxy.
func (p *proxy) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	resolved, inside, err := p.network.resolve(host, port)
	if err != nil {
		return nil, err
	}
	if inside {
		return dialer.DialContext(ctx, "tcp", resolved)
	}
	connection, err := dialer.DialContext(ctx, "tcp", p.upstream)
	if err != nil {
		return nil, fmt.Errorf("the lab's internet does not answer: %w", err)
	}
	through, err := connectThrough(connection, address)
	if err != nil {
		connection.Close()
		return nil, err
	}
	return through, nil
}

// connectThrough asks the proxy at the other end of the connection for a tunnel to address.
func connectThrough(connection net.Conn, address string) (net.Conn, error) {
	request := &http.Request{
		Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{},
	}
	_ = connection.SetDeadline(time.Now().Add(dialTimeout))
	if err := request.Write(connection); err != nil {
		return nil, err
	}
	reader := bufio.NewReader(connection)
	answer, err := http.ReadResponse(reader, request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return nil, &refusal{answer.StatusCode, strings.TrimSpace(string(text))}
	}
	return &bufferedConn{connection, reader}, connection.SetDeadline(time.Time{})
}

// refusal is an error answer of the simulated Internet's proxy.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// bufferedConn first returns the bytes that were read ahead.
type bufferedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// CloseWrite closes the sending direction.
func (c *bufferedConn) CloseWrite() error {
	if half, ok := c.Conn.(*net.TCPConn); ok {
		return half.CloseWrite()
	}
	return nil
}

// failed returns the status for a failure. It logs a failure that differs from the host's last one.
func (p *proxy) failed(host string, err error) int {
	if err == nil {
		p.failures.Delete(host)
		return http.StatusOK
	}
	if before, known := p.failures.Swap(host, err.Error()); !known || before != err.Error() {
		log.Printf("pods: proxy: %s: %v", host, err)
	}
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.status
	}
	return http.StatusBadGateway
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// hostAndPort returns a URL's host and port. The default port is the scheme's.
func hostAndPort(u *url.URL) (host, port string) {
	if port = u.Port(); port == "" {
		port = "80"
	}
	return u.Hostname(), port
}
