package faults

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// service starts a simulator with the given faults that counts the requests it processes.
func service(t *testing.T, faults string) (client func(method, path string) (int, error), done *int) {
	t.Helper()
	queue := &Queue{}
	if err := queue.Add([]byte(faults)); err != nil {
		t.Fatal(err)
	}
	done = new(int)
	real := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { *done++ })
	server := httptest.NewServer(queue.Inject(real, func(w http.ResponseWriter, f *Fault) {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		http.Error(w, f.Message, f.Status)
	}))
	t.Cleanup(server.Close)
	return func(method, path string) (int, error) {
		request, err := http.NewRequest(method, server.URL+path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		// A new transport for each request does not retry a dropped one.
		answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode, nil
	}, done
}

func TestFaultsHappenAsOftenAsTheySay(t *testing.T) {
	for _, test := range []struct {
		times string
		want  []int
	}{
		{"0", []int{503, 200, 200}},
		{"2", []int{503, 503, 200}},
		{"-1", []int{503, 503, 503}},
	} {
		call, _ := service(t, `{"status": 503, "times": `+test.times+`}`)
		for i, want := range test.want {
			if got, err := call("GET", "/"); err != nil || got != want {
				t.Errorf("times %s, request %d: got %d, %v; want %d", test.times, i, got, err, want)
			}
		}
	}
}

func TestFaultsHappenToWhatTheyMatchOnly(t *testing.T) {
	call, done := service(t, `{"path": "records$", "method": "post", "status": 500, "times": -1}`)
	for _, request := range []struct {
		method, path string
		want         int
	}{{"POST", "/records", 500}, {"GET", "/records", 200}, {"POST", "/records/1", 200}} {
		if got, err := call(request.method, request.path); err != nil || got != request.want {
			t.Errorf("%s %s: got %d, %v; want %d", request.method, request.path, got, err, request.want)
		}
	}
	if *done != 2 {
		t.Errorf("%d requests were done, want 2", *done)
	}
}

func TestDroppedRequestsAreDoneWhereTheyAreDroppedAfter(t *testing.T) {
	for drop, want := range map[string]int{"before": 0, "after": 1} {
		call, done := service(t, `{"drop": "`+drop+`"}`)
		if got, err := call("POST", "/"); !errors.Is(err, io.EOF) {
			t.Errorf("dropped %s: got %d, %v; want the connection's end", drop, got, err)
		}
		if *done != want {
			t.Errorf("dropped %s: %d requests were done, want %d", drop, *done, want)
		}
	}
}

func TestADelayAloneLetsTheRequestGoOn(t *testing.T) {
	call, done := service(t, `{"delayMs": 30}`)
	started := time.Now()
	if got, err := call("GET", "/"); err != nil || got != 200 || *done != 1 {
		t.Errorf("got %d, %v after %d requests done", got, err, *done)
	}
	if waited := time.Since(started); waited < 30*time.Millisecond {
		t.Errorf("it waited for %v only", waited)
	}
}

func TestWrongFaultsAreRefusedTogetherWithThoseBesideThem(t *testing.T) {
	for faults, want := range map[string]string{
		`{"pth": "x"}`:                       `unknown field "pth"`,
		`{"path": "("}`:                      "path: error parsing regexp",
		`{"drop": "never"}`:                  `drop is neither "before" nor "after"`,
		`[{"status": 500}, {"drop": "now"}]`: "drop is neither",
		`no JSON`:                            "a fault is a JSON object with path",
	} {
		queue := &Queue{}
		if err := queue.Add([]byte(faults)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", faults, err, want)
		}
		if len(queue.all) != 0 {
			t.Errorf("%s: %d faults were taken all the same", faults, len(queue.all))
		}
	}
}

func TestFaultsAreListedAndForgotten(t *testing.T) {
	queue := &Queue{}
	ask := func(method, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		queue.ServeHTTP(w, httptest.NewRequest(method, Path, strings.NewReader(body)))
		return w
	}
	if got := ask("POST", `[{"path": "a", "status": 500}, {"path": "b", "drop": "after"}]`).Code; got != http.StatusNoContent {
		t.Fatalf("POST: %d", got)
	}
	if got := ask("GET", "").Body.String(); strings.Count(got, `"path"`) != 2 {
		t.Errorf("GET: %s", got)
	}
	if got := ask("DELETE", "").Code; got != http.StatusNoContent || len(queue.all) != 0 {
		t.Errorf("DELETE: %d, %d left", got, len(queue.all))
	}
	if got := ask("POST", `{"path": "("}`).Code; got != http.StatusBadRequest {
		t.Errorf("POST of a wrong one: %d", got)
	}
	if got := ask("PATCH", "").Code; got != http.StatusMethodNotAllowed {
		t.Errorf("PATCH: %d", got)
	}
}
