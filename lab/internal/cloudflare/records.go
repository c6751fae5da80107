package cloudflare

import (
	"net/http"
	"time"
)

func errNoRecord() error { return refuse(http.StatusNotFound, 81044, "Record does not exist.") }

// record returns the record that a request names.
func (held *contents) record(r *http.Request) (*record, error) {
	found := held.Records[r.PathValue("record")]
	if found == nil || found.Zone != r.PathValue("zone") {
		return nil, errNoRecord()
	}
	return found, nil
}

func (a *api) listRecords(r *http.Request) (any, *page, error) {
	held, err := a.store.read()
	if err != nil {
		return nil, nil, err
	}
	found, err := selectRecords(held, r.PathValue("zone"), r.URL.Query())
	if err != nil {
		return nil, nil, err
	}
	items, info := paginate(r, found, 100, 50000)
	return items, info, nil
}

func (a *api) getRecord(r *http.Request) (any, *page, error) {
	held, err := a.store.read()
	if err != nil {
		return nil, nil, err
	}
	found, err := held.record(r)
	if err != nil {
		return nil, nil, err
	}
	return found.shown(), nil, nil
}

func (a *api) createRecord(r *http.Request) (any, *page, error) {
	body, err := readRecord(r)
	if err != nil {
		return nil, nil, err
	}
	made := newRecord(r.PathValue("zone"), time.Now())
	err = a.store.change(func(held *contents) error {
		if err := made.apply(body, a.zoneName(made.Zone), time.Now()); err != nil {
			return err
		}
		held.Records[made.ID] = made
		return made.conflict(held)
	})
	return made.shown(), nil, err
}

// overwriteRecord replaces all of a record except its ID and creation time.
func (a *api) overwriteRecord(r *http.Request) (any, *page, error) {
	return a.rewrite(r, func(old *record) *record {
		fresh := newRecord(old.Zone, time.Now())
		fresh.ID, fresh.CreatedOn = old.ID, old.CreatedOn
		return fresh
	})
}

func (a *api) editRecord(r *http.Request) (any, *page, error) {
	return a.rewrite(r, func(old *record) *record { return old })
}

func (a *api) rewrite(r *http.Request, from func(old *record) *record) (any, *page, error) {
	body, err := readRecord(r)
	if err != nil {
		return nil, nil, err
	}
	var changed *record
	err = a.store.change(func(held *contents) error {
		old, err := held.record(r)
		if err != nil {
			return err
		}
		changed = from(old)
		if err := changed.apply(body, a.zoneName(old.Zone), time.Now()); err != nil {
			return err
		}
		held.Records[changed.ID] = changed
		return changed.conflict(held)
	})
	if err != nil {
		return nil, nil, err
	}
	return changed.shown(), nil, nil
}

func (a *api) deleteRecord(r *http.Request) (any, *page, error) {
	err := a.store.change(func(held *contents) error {
		found, err := held.record(r)
		if err == nil {
			delete(held.Records, found.ID)
		}
		return err
	})
	return map[string]string{"id": r.PathValue("record")}, nil, err
}
