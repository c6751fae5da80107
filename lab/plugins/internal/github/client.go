package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	defaultBaseURL = "https://api.github.com/"
	attemptTimeout = time.Minute
	// attempts and retryDelay are the vendor's defaults, max_retries and retry_delay_ms.
	attempts   = 4
	retryDelay = time.Second
)

// client calls the API. Like every Go program, it takes the proxy and the trusted certificates from the environment.
type client struct {
	base, owner, token string
}

// setting returns a configured value, or else the environment variable's.
func setting(config resource.PropertyMap, key resource.PropertyKey, variable string) string {
	if value := config[key]; value.IsString() {
		return value.StringValue()
	}
	return os.Getenv(variable)
}

func (c *client) configure(config resource.PropertyMap) error {
	c.base = setting(config, "baseUrl", "GITHUB_BASE_URL")
	if c.base == "" {
		c.base = defaultBaseURL
	}
	if parsed, err := url.Parse(c.base); err != nil || parsed.Scheme != "https" || parsed.Host == "" {
		return errors.New("github:baseUrl is not an https URL: give https://HOST/, or omit it")
	}
	c.base = strings.TrimSuffix(c.base, "/")
	c.owner, c.token = setting(config, "owner", "GITHUB_OWNER"), setting(config, "token", "GITHUB_TOKEN")
	return nil
}

// repository returns the path of one of the owner's repositories.
func (c *client) repository(name string, more ...string) string {
	path := "/repos/" + url.PathEscape(c.owner) + "/" + url.PathEscape(name)
	for _, part := range more {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// call makes a request, retries it if GitHub fails, and decodes the answer into result.
func (c *client) call(ctx context.Context, method, path string, body, result any) error {
	if c.token == "" || c.owner == "" {
		return errors.New("the provider has no token or no owner: set github:token and github:owner")
	}
	for attempt := 1; ; attempt++ {
		err := c.attempt(ctx, method, path, body, result)
		var no *refusal
		if err == nil || attempt == attempts || errors.As(err, &no) && no.status < 500 {
			return err
		}
		select {
		case <-time.After(retryDelay):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *client) attempt(ctx context.Context, method, path string, body, result any) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	var payload io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/vnd.github+json")
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("User-Agent", "hearth-stand-in/"+Version)
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no answer from %s: %w; check the network and HTTPS_PROXY, and try again", request.URL.Host, err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("incomplete answer from %s: %w; try again", request.URL.Host, err)
	}
	if response.StatusCode/100 != 2 {
		no := &refusal{status: response.StatusCode}
		_ = json.Unmarshal(raw, no)
		return no
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return fmt.Errorf("%s %s: GitHub's answer does not match its documentation: %w", method, path, err)
	}
	return nil
}

// refusal is an answer with an error status.
type refusal struct {
	status  int
	Message string `json:"message"`
	Errors  []struct {
		Resource string `json:"resource"`
		Field    string `json:"field"`
		Message  string `json:"message"`
	} `json:"errors"`
}

func (r *refusal) Error() string {
	said := r.Message
	if said == "" {
		said = http.StatusText(r.status)
	}
	for _, one := range r.Errors {
		if one.Message != "" {
			said += ": " + one.Message
		}
	}
	return fmt.Sprintf("GitHub answers %d: %s; %s", r.status, said, r.advice())
}

// advice says what to do about the refusal.
func (r *refusal) advice() string {
	switch {
	case r.status == http.StatusUnauthorized:
		return "the token is wrong, revoked or expired: set github:token to a valid one"
	case r.status == http.StatusForbidden:
		return "give the token the repository's permissions Administration and Webhooks, to read and write"
	case r.status == http.StatusNotFound:
		return "check the owner's and the repository's names, and that the token has access to it"
	case r.status == http.StatusUnprocessableEntity && strings.Contains(r.reasons(), "already"):
		return "remove the existing one in the repository's settings, or import it"
	case r.status >= 500:
		return "see https://www.githubstatus.com and try again"
	}
	return "correct what it names and try again"
}

// reasons returns GitHub's messages about invalid values.
func (r *refusal) reasons() string {
	var all []string
	for _, one := range r.Errors {
		all = append(all, one.Message)
	}
	return strings.Join(all, " ")
}

// isGone reports whether the error says that the object does not exist.
func isGone(err error) bool {
	var no *refusal
	return errors.As(err, &no) && no.status == http.StatusNotFound
}
