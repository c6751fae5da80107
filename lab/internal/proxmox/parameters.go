package proxmox

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
)

// bodyLimit is the maximum size of a body, in bytes. The content of uploads does not count.
const bodyLimit = 64 << 20

// upload is the file of a multipart request. Only its size is kept.
type upload struct {
	name string
	size int64
}

// read collects the parameters from path, query and body.
func (c *call) read(r *http.Request, inPath map[string]string) error {
	c.params = map[string]string{}
	for name, value := range inPath {
		c.params[name] = value
	}
	if err := c.add(r.URL.Query(), inPath); err != nil {
		return err
	}
	if r.ContentLength > 0 && r.Method != http.MethodPost && r.Method != http.MethodPut {
		return &apiError{status: http.StatusNotImplemented, message: fmt.Sprintf("Unexpected content for method '%s'", r.Method)}
	}
	contentType, options, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body := http.MaxBytesReader(nil, r.Body, bodyLimit)
	switch contentType {
	case "application/json":
		return c.readJSON(body, inPath)
	case "multipart/form-data":
		return c.readMultipart(body, options["boundary"], inPath)
	case "", "application/x-www-form-urlencoded":
		raw, err := io.ReadAll(body)
		if err != nil {
			return &apiError{status: http.StatusRequestEntityTooLarge, message: "for data too large"}
		}
		values, err := url.ParseQuery(string(raw))
		if err != nil {
			return &apiError{status: http.StatusBadRequest, message: "unable to parse request body"}
		}
		return c.add(values, inPath)
	}
	return &apiError{status: http.StatusBadRequest, message: fmt.Sprintf("unsupported content type '%s'", contentType)}
}

func (c *call) add(values url.Values, inPath map[string]string) error {
	for name, all := range values {
		if len(all) > 1 {
			return invalidField(name, "type check ('string') failed - got ARRAY")
		}
		if fixed, there := inPath[name]; there && fixed != all[0] {
			return invalidField(name, "duplicate parameter (already defined in URI) with conflicting values!")
		}
		c.params[name] = all[0]
	}
	return nil
}

func (c *call) readJSON(body io.Reader, inPath map[string]string) error {
	raw := map[string]any{}
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil {
		return &apiError{status: http.StatusBadRequest, message: "unable to parse request body"}
	}
	values := url.Values{}
	for name, value := range raw {
		switch v := value.(type) {
		case string:
			values.Set(name, v)
		case json.Number:
			values.Set(name, v.String())
		case bool:
			values.Set(name, map[bool]string{true: "1", false: "0"}[v])
		case nil:
		default:
			return invalidField(name, "type check ('string') failed - got a nested value")
		}
	}
	return c.add(values, inPath)
}
