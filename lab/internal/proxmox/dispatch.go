package proxmox

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hearth.dev/lab/internal/faults"
)

const basePath = "/api2/json"

// ServeHTTP serves one request.
func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/lab/") {
		c.serveLab(w, r)
		return
	}
	c.faults.Inject(http.HandlerFunc(c.serveAPI), refuseFault).ServeHTTP(w, r)
}

// refuseFault answers with an injected fault in Proxmox's form.
func refuseFault(w http.ResponseWriter, met *faults.Fault) {
	message := met.Message
	if message == "" {
		message = "injected fault"
	}
	refuse(w, &apiError{status: met.Status, message: message})
}

func (c *cluster) serveAPI(w http.ResponseWriter, r *http.Request) {
	data, err := c.answer(r)
	if err != nil {
		api := asAPIError(err)
		log.Printf("%s %s: %d %s %v", r.Method, r.URL.Path, api.status, api.message, api.fields)
		refuse(w, api)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Server", "pve-api-daemon/3.0")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

// refuse writes an error in Proxmox's form. The message is the reason in the status line, and is also in the body. An
// unauthorized request gets no body.
func refuse(w http.ResponseWriter, e *apiError) {
	reason, _, _ := strings.Cut(e.message, "\n")
	var body []byte
	if e.status != http.StatusUnauthorized && !e.bare {
		content := map[string]any{"data": nil, "message": strings.TrimRight(e.message, "\n") + "\n"}
		if len(e.fields) > 0 {
			content["errors"] = e.fields
		}
		body, _ = json.Marshal(content)
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	connection, buffered, err := hijacker.Hijack()
	if err != nil {
		http.Error(w, reason, e.status)
		return
	}
	defer connection.Close()
	fmt.Fprintf(buffered, "HTTP/1.1 %d %s\r\nServer: pve-api-daemon/3.0\r\nConnection: close\r\n", e.status, reason)
	fmt.Fprintf(buffered, "Content-Type: application/json;charset=UTF-8\r\nContent-Length: %s\r\n\r\n", strconv.Itoa(len(body)))
	_, _ = buffered.Write(body)
	_ = buffered.Flush()
}

func (c *cluster) answer(r *http.Request) (any, error) {
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}, r.Method) {
		return nil, &apiError{status: http.StatusNotImplemented, message: fmt.Sprintf("method '%s' not available", r.Method), bare: true}
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), basePath)
	if !ok {
		return nil, &apiError{status: http.StatusNotFound, message: fmt.Sprintf("no such file '%s'", r.URL.Path)}
	}
	parts := splitPath(path)
	token := ""
	if !isSignIn(r.Method, parts) {
		var err error
		if token, err = c.authenticate(r); err != nil {
			return nil, err
		}
	}
	endpoint, inPath, err := find(r.Method, parts)
	if err != nil {
		return nil, err
	}
	call := &call{cluster: c, token: token}
	if err := call.read(r, inPath); err != nil {
		return nil, err
	}
	// The order is that of pve-manager 9.2.11, PVE/HTTPServer.pm, rest_handler.
	for _, a := range endpoint.allowed {
		if err := call.permitAccess(a); err != nil {
			return nil, err
		}
	}
	if node := inPath["node"]; node != "" && !c.isNode(node) {
		return nil, fail("hostname lookup '%s' failed - failed to get address info for: %s: Name or service not known", node, node)
	}
	if wrong := endpoint.schema().check(call.params); len(wrong) > 0 {
		return nil, invalid(wrong)
	}
	return endpoint.handle(call)
}

func find(method string, path []string) (endpoint, map[string]string, error) {
	for _, e := range endpoints {
		if e.method != method {
			continue
		}
		if inPath, ok := e.match(path); ok {
			return e, inPath, nil
		}
	}
	return endpoint{}, nil, &apiError{
		status:  http.StatusNotImplemented,
		message: fmt.Sprintf("Method '%s /%s' not implemented", method, strings.Join(path, "/")),
	}
}

// endpoints are all endpoints. They are collected at run time, because handlers refer to them.
var endpoints []endpoint

func init() {
	for _, group := range [][]endpoint{clusterEndpoints, nodeEndpoints, storageEndpoints, vmEndpoints, haEndpoints, poolEndpoints, accessEndpoints} {
		endpoints = append(endpoints, group...)
	}
}
