package internet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// connect serves CONNECT: it opens a tunnel to a simulator, or answers with the reason why not.
func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	client, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer client.Close()
	defer context.AfterFunc(p.ctx, func() { client.Close() })()

	address := p.upstream(r.Host)
	if address == "" {
		p.note(r.Host, "refused")
		answer(client, http.StatusForbidden, refusal(r.Host))
		return
	}
	upstream, err := net.DialTimeout("tcp4", address, dialTimeout)
	if err != nil {
		p.note(r.Host, "failed: "+cause(err))
		answer(client, http.StatusBadGateway, fmt.Sprintf("the lab's %s at %s does not answer: %s", r.Host, address, cause(err)))
		return
	}
	defer upstream.Close()
	defer context.AfterFunc(p.ctx, func() { upstream.Close() })()
	p.note(r.Host, "to "+address)
	_ = client.SetDeadline(time.Time{})
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	splice(client, buffered.Reader, upstream)
}

// answer refuses a tunnel. The reason is in the status line too, because some clients, such as Go's, show only that.
func answer(client net.Conn, status int, reason string) {
	fmt.Fprintf(client, "HTTP/1.1 %d %s: %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n",
		status, http.StatusText(status), reason, len(reason)+1, reason)
}

// splice copies in both directions until both sides have stopped sending.
func splice(client net.Conn, sent *bufio.Reader, upstream net.Conn) {
	done := make(chan struct{}, 2)
	pipe := func(to net.Conn, from io.Reader) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		done <- struct{}{}
	}
	// What the client sent directly after its request is in the reader. The rest is copied without it.
	early := io.LimitReader(sent, int64(sent.Buffered()))
	go pipe(upstream, io.MultiReader(early, client))
	go pipe(client, upstream)
	<-done
	<-done
}
