package cloudflare

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
	defaultBaseURL = "https://api.cloudflare.com/client/v4"
	attemptTimeout = time.Minute
)

// client calls the API. Like every Go program, it takes the proxy and the trusted certificates from the environment.
type client struct {
	base    string
	headers map[string]string
}

// setting returns a configured value, or else the environment variable's.
func setting(config resource.PropertyMap, key resource.PropertyKey, variable string) string {
	if value := config[key]; value.IsString() {
		return value.StringValue()
	}
	return os.Getenv(variable)
}

func (c *client) configure(config resource.PropertyMap) error {
	c.base = strings.TrimSuffix(setting(config, "baseUrl", "CLOUDFLARE_BASE_URL"), "/")
	if c.base == "" {
		c.base = defaultBaseURL
	}
	if parsed, err := url.Parse(c.base); err != nil || parsed.Scheme != "https" || parsed.Host == "" {
		return errors.New("cloudflare:baseUrl is not an https URL: give https://HOST/client/v4, or omit it")
	}
	agent := "pulumi/" + Version
	if suffix := config["userAgentOperatorSuffix"]; suffix.IsString() {
		agent = suffix.StringValue()
	}
	c.headers = map[string]string{"User-Agent": strings.TrimSpace("hearth-stand-in/" + Version + " " + agent)}
	for header, value := range map[string]string{
		"X-Auth-Key":              setting(config, "apiKey", "CLOUDFLARE_API_KEY"),
		"X-Auth-Email":            setting(config, "email", "CLOUDFLARE_EMAIL"),
		"X-Auth-User-Service-Key": setting(config, "apiUserServiceKey", "CLOUDFLARE_API_USER_SERVICE_KEY"),
	} {
		if value != "" {
			c.headers[header] = value
		}
	}
	if token := setting(config, "apiToken", "CLOUDFLARE_API_TOKEN"); token != "" {
		c.headers["Authorization"] = "Bearer " + token
	}
	return nil
}

// envelope wraps every answer of the API.
type envelope struct {
	Success bool            `json:"success"`
	Errors  []message       `json:"errors"`
	Result  json.RawMessage `json:"result"`
	Info    struct {
		Page       int `json:"page"`
		TotalPages int `json:"total_pages"`
	} `json:"result_info"`
}

// call makes a request, retries it if needed, and decodes the answer's result into result.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body, result any) (*envelope, error) {
	var payload []byte
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = encoded
	}
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	for attempt := 0; ; attempt++ {
		answer, wait, err := c.attempt(ctx, method, target, payload)
		if err == nil {
			if result != nil {
				if err := json.Unmarshal(answer.Result, result); err != nil {
					return nil, fmt.Errorf("%s %s: Cloudflare's answer does not match its documentation: %w", method, path, err)
				}
			}
			return answer, nil
		}
		if wait, err = again(attempt, wait, err); err != nil {
			return nil, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// attempt makes one request. The duration is how long Cloudflare asks to wait, zero if it does not say.
func (c *client) attempt(
	ctx context.Context, method, target string, payload []byte,
) (*envelope, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(payload))
	if err != nil {
		return nil, 0, err
	}
	for header, value := range c.headers {
		request.Header.Set(header, value)
	}
	request.Header.Set("Accept", "application/json")
	if payload != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, &unreachable{host: request.URL.Host, cause: err}
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, 0, &unreachable{host: request.URL.Host, cause: err}
	}
	answer := &envelope{}
	err = json.Unmarshal(raw, answer)
	if response.StatusCode/100 == 2 && err == nil && answer.Success {
		return answer, 0, nil
	}
	return nil, retryAfter(response.Header), &refusal{status: response.StatusCode, messages: answer.Errors}
}
