// Command hearth-tree renders and checks a GitOps tree like Flux, with Flux's own libraries and without a cluster.
//
// Each subcommand reads a JSON request from standard input and writes a JSON answer to standard output. A tree may be a stranger's, so the
// program starts no other one and asks no server.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	if err := confine(); err != nil {
		fmt.Fprintln(os.Stderr, "hearth-tree:", err)
		os.Exit(1)
	}
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hearth-tree:", err)
		os.Exit(1)
	}
}

// confine keeps kustomize from what a tree names outside of itself: it runs git, with a ref that nobody checked, and downloads files.
// Source: kustomize api v0.21.1, internal/git/cloner.go, internal/git/gitrunner.go, internal/loader/fileloader.go.
func confine() error {
	http.DefaultTransport = offline{}
	return os.Setenv("PATH", "")
}

// offline refuses every request.
type offline struct{}

func (offline) RoundTrip(request *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%s is outside of the tree, and is not downloaded here", request.URL.Host)
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("call it as: hearth-tree render | index | check | values")
	}
	switch args[0] {
	case "render":
		return answer(in, out, render)
	case "index":
		return answer(in, out, index)
	case "check":
		return answer(in, out, check)
	case "values":
		return answer(in, out, values)
	default:
		return fmt.Errorf("there is no subcommand %s", args[0])
	}
}

func answer[Request, Answer any](in io.Reader, out io.Writer, do func(Request) (Answer, error)) error {
	var request Request
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&request); err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	result, err := do(request)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}
