package factory

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
)

// bodyLimit is the maximum size of a schematic, in bytes.
const bodyLimit = 1 << 20

// ServeHTTP serves schematics and the metadata of images, as the Image Factory does. It has no image content: a host
// that downloads an image gets it from Asset.
func (f *Factory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /schematics", f.handle(f.create))
	mux.HandleFunc("GET /schematics/{schematic}", f.handle(f.show))
	mux.HandleFunc("GET /versions", f.handle(listVersions))
	mux.HandleFunc("GET /version/{version}/extensions/official", f.handle(listExtensions))
	mux.HandleFunc("HEAD /image/{schematic}/{version}/{path}", f.handle(f.describe))
	mux.ServeHTTP(w, r)
}

// handle answers errors as plain text.
func (f *Factory) handle(answer func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := answer(w, r)
		if err == nil {
			return
		}
		log.Printf("image factory: %s %s: %v", r.Method, r.URL.Path, err)
		text := err.Error()
		if Status(err) == http.StatusInternalServerError {
			text = "internal server error"
		}
		http.Error(w, text, Status(err))
	}
}

func (f *Factory) create(w http.ResponseWriter, r *http.Request) error {
	document, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		return err
	}
	id, normalized, err := f.post(document)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return json.NewEncoder(w).Encode(map[string]string{"id": id, "schematic": string(normalized)})
}

func (f *Factory) show(w http.ResponseWriter, r *http.Request) error {
	document, err := f.get(r.PathValue("schematic"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, err = w.Write(document)
	return err
}

// listVersions lists the releases of Talos, or those that are broken: none of the lab's is.
func listVersions(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("broken") == "true" {
		return json.NewEncoder(w).Encode([]string{})
	}
	return json.NewEncoder(w).Encode(releases())
}

func listExtensions(w http.ResponseWriter, r *http.Request) error {
	extensions, err := officialExtensions(r.PathValue("version"))
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(extensions)
}

func (f *Factory) describe(w http.ResponseWriter, r *http.Request) error {
	asset, err := f.Asset(r.URL.Path)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Length", strconv.FormatInt(asset.Size, 10))
	w.Header().Set("Content-Type", asset.MIME)
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", asset.Name))
	return nil
}
