package proxmox

import (
	"errors"
	"fmt"
	"net/http"
)

// apiError is an error answer. Proxmox puts the message into the status line and the body.
type apiError struct {
	status  int
	message string
	// fields maps parameters to what is wrong with them.
	fields map[string]string
	// bare means that there is no body.
	bare bool
}

func (e *apiError) Error() string { return e.message }

// fail is Proxmox's answer to most failures: status 500 with one line of text.
func fail(format string, args ...any) error {
	return &apiError{status: http.StatusInternalServerError, message: fmt.Sprintf(format, args...)}
}

// invalid means that parameters do not match their schema.
func invalid(fields map[string]string) error {
	return &apiError{status: http.StatusBadRequest, message: "Parameter verification failed.", fields: fields}
}

func invalidField(name, format string, args ...any) error {
	return invalid(map[string]string{name: fmt.Sprintf(format, args...)})
}

// onlyRoot refuses a parameter that only root may set.
func onlyRoot(name string) error { return invalidField(name, "Only root may use this option.") }

func forbidden(path, privileges string) error {
	return &apiError{status: http.StatusForbidden, message: fmt.Sprintf("Permission check failed (%s, %s)", path, privileges)}
}

func unauthorized(message string) error {
	return &apiError{status: http.StatusUnauthorized, message: message}
}

// asAPIError turns any error into an error answer.
func asAPIError(err error) *apiError {
	var api *apiError
	if errors.As(err, &api) {
		return api
	}
	return &apiError{status: http.StatusInternalServerError, message: err.Error()}
}
