package proxmox

import (
	"fmt"
	"net/http"
	"net/url"

	"hearth.dev/lab/internal/factory"
)

// lookUp asks the host of a URL for the file, as a HEAD request does. The Image Factory is the only host that the
// simulated hosts reach. The error is what the host's client says.
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
