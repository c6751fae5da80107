package proxmox

import (
	"fmt"
	"net/http"
	"net/url"

	"hearth.dev/lab/internal/factory"
)

// lookUp looks for the file at a URL, as a HEAD request does. The simulated hosts reach only the Image Factory. The
// error has the words of the host's HTTP client.
func (c *cluster) lookUp(raw string) (*factory.Asset, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("invalid server response: '500 Bad URL'\n")
	}
	if u.Host != factory.Host || u.Scheme != "https" {
		return nil, fmt.Errorf("invalid server response: '500 Can't connect to %s (Name or service not known)'\n", u.Host)
	}
	asset, err := c.images.Asset(u.Path)
	if err != nil {
		return nil, fmt.Errorf("invalid server response: '%d %s'\n", factory.Status(err), http.StatusText(factory.Status(err)))
	}
	return asset, nil
}
