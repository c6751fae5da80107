package cloudflare

import (
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"strconv"
)

// message is an error message of the API.
type message struct {
	Code    int       `json:"code"`
	Message string    `json:"message"`
	Chain   []message `json:"error_chain,omitempty"`
}

// refusal is an error answer.
type refusal struct {
	status   int
	messages []message
	// retryAfter is the value of the Retry-After header in seconds. Zero omits it.
	retryAfter int
}

func (r *refusal) Error() string { return r.messages[0].Message }

func refuse(status, code int, text string, chain ...message) *refusal {
	return &refusal{status: status, messages: []message{{code, text, chain}}}
}

// page describes which part of a list an answer holds.
type page struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

type envelope struct {
	Result   any       `json:"result"`
	Success  bool      `json:"success"`
	Errors   []message `json:"errors"`
	Messages []message `json:"messages"`
	Info     *page     `json:"result_info,omitempty"`
}

// endpoint serves a request. The error may be a refusal.
type endpoint func(r *http.Request) (result any, info *page, err error)

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, info, err := e(r)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, envelope{Result: result, Success: true, Errors: []message{}, Messages: []message{}, Info: info})
}

func writeError(w http.ResponseWriter, err error) {
	var no *refusal
	if !errors.As(err, &no) {
		log.Print(err)
		no = refuse(http.StatusInternalServerError, 10001, "Internal server error")
	}
	if no.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(no.retryAfter))
	}
	writeJSON(w, no.status, envelope{Errors: no.messages, Messages: []message{}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// paginate returns the page of a list that a request asks for.
func paginate[T any](r *http.Request, all []T, perPage, most int) ([]T, *page) {
	number := func(name string, fallback, largest int) int {
		value, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil || value < 1 {
			return fallback
		}
		return min(value, largest)
	}
	info := &page{Page: number("page", 1, 1<<30), PerPage: number("per_page", perPage, most), TotalCount: len(all)}
	info.TotalPages = (len(all) + info.PerPage - 1) / info.PerPage
	from := min((info.Page-1)*info.PerPage, len(all))
	part := all[from:min(from+info.PerPage, len(all))]
	info.Count = len(part)
	return append([]T{}, part...), info
}
