package cloudflare

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const testZone = "example.com"

// made returns the record that a body creates.
func made(t *testing.T, body string) (*record, error) {
	t.Helper()
	var sent written
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	r := newRecord("zone", time.Now())
	return r, r.apply(&sent, testZone, time.Now())
}

// TestKnowsEveryTypeOfTheAPI composes the content of every type.
func TestKnowsEveryTypeOfTheAPI(t *testing.T) {
	for body, want := range map[string]string{
		`{"type":"A","content":"192.0.2.1"}`:                                                                                                     "192.0.2.1",
		`{"type":"AAAA","content":"2001:db8::1"}`:                                                                                                "2001:db8::1",
		`{"type":"CNAME","content":"B.example.net."}`:                                                                                            "b.example.net",
		`{"type":"MX","content":"mx.example.net","priority":10}`:                                                                                 "mx.example.net",
		`{"type":"MX","content":".","priority":0}`:                                                                                               ".",
		`{"type":"NS","content":"ns.example.net"}`:                                                                                               "ns.example.net",
		`{"type":"OPENPGPKEY","content":"bXkga2V5"}`:                                                                                             "bXkga2V5",
		`{"type":"PTR","content":"host.example.net"}`:                                                                                            "host.example.net",
		`{"type":"TXT","content":"any text"}`:                                                                                                    "any text",
		`{"type":"CAA","data":{"flags":0,"tag":"issue","value":"letsencrypt.org"}}`:                                                              `0 issue "letsencrypt.org"`,
		`{"type":"CERT","data":{"type":1,"key_tag":2,"algorithm":8,"certificate":"bXkga2V5"}}`:                                                   "1 2 8 bXkga2V5",
		`{"type":"DNSKEY","data":{"flags":257,"protocol":3,"algorithm":13,"public_key":"bXkga2V5"}}`:                                             "257 3 13 bXkga2V5",
		`{"type":"DS","data":{"key_tag":2371,"algorithm":13,"digest_type":2,"digest":"0aF1"}}`:                                                   "2371 13 2 0aF1",
		`{"type":"HTTPS","data":{"priority":1,"target":".","value":"alpn=\"h3,h2\""}}`:                                                           `1 . alpn="h3,h2"`,
		`{"type":"SVCB","data":{"priority":2,"target":"foo.","value":""}}`:                                                                       "2 foo.",
		`{"type":"NAPTR","data":{"order":100,"preference":10,"flags":"S","service":"SIP+D2T","regex":"","replacement":"_sip._tcp.example.net"}}`: `100 10 "S" "SIP+D2T" "" _sip._tcp.example.net`,
		`{"type":"SMIMEA","data":{"usage":3,"selector":0,"matching_type":1,"certificate":"0a0b"}}`:                                               "3 0 1 0a0b",
		`{"type":"SRV","data":{"priority":5,"weight":0,"port":5222,"target":"talk.l.google.com"}}`:                                               "0 5222 talk.l.google.com",
		`{"type":"SSHFP","data":{"algorithm":4,"type":1,"fingerprint":"8f5984bc"}}`:                                                              "4 1 8f5984bc",
		`{"type":"TLSA","data":{"usage":3,"selector":1,"matching_type":1,"certificate":"2b094ae0"}}`:                                             "3 1 1 2B094AE0",
		`{"type":"URI","priority":10,"data":{"weight":1,"target":"https://example.net/a"}}`:                                                      `1 "https://example.net/a"`,
		`{"type":"LOC","data":{"lat_degrees":37,"lat_minutes":46,"lat_seconds":46,"lat_direction":"N","long_degrees":122,"long_minutes":23,"long_seconds":35,"long_direction":"W","altitude":0,"size":100,"precision_horz":0,"precision_vert":0}}`: "37 46 46.000 N 122 23 35.000 W 0.00 100.00 0.00 0.00",
		`{"type":"LOC","data":{"lat_degrees":1,"lat_direction":"S","long_degrees":2,"long_direction":"E","altitude":-3.5}}`:                                                                                                                        "1 0 0.000 S 2 0 0.000 E -3.50 0.00 0.00 0.00",
	} {
		r, err := made(t, `{"name":"a","ttl":1,`+body[1:])
		if err != nil || r.Content != want {
			t.Errorf("%s\nmakes %q, %v; want %q", body, r.Content, err, want)
		}
		if r.Proxiable != isAddress(r.Type) {
			t.Errorf("%s is proxiable: %v", r.Type, r.Proxiable)
		}
	}
}

func TestSaysWhatIsMissingOfAllFieldsTogether(t *testing.T) {
	for kind, fields := range components {
		_, err := made(t, `{"name":"a","ttl":1,"type":"`+kind+`","content":"1 1 1 00"}`)
		var no *refusal
		if !errors.As(err, &no) || no.status != 400 {
			t.Errorf("%s without data: %v", kind, err)
			continue
		}
		var said []string
		for _, one := range no.messages {
			if one.Code != 9101 {
				t.Errorf("%s: code %d", kind, one.Code)
			}
			said = append(said, strings.TrimSuffix(one.Message, " is a required data field."))
		}
		for _, one := range fields {
			if one.fallback == nil && !slices.Contains(said, one.name) {
				t.Errorf("%s: %s is not named in %v", kind, one.name, said)
			}
		}
	}
}

func TestRefusesDataThatTheTypeCannotHave(t *testing.T) {
	for body, code := range map[string]int{
		`{"type":"SRV","data":{"priority":"5","weight":0,"port":7,"target":"a.example.net"}}`:                             9102,
		`{"type":"SPF","content":"v=spf1"}`:                                                                               1004,
		`{"type":"SOA","content":"a b 1 2 3 4 5"}`:                                                                        1004,
		`{"type":"CAA","data":{"flags":256,"tag":"issue","value":"a"}}`:                                                   9102,
		`{"type":"CAA","data":{"flags":0,"tag":"is sue","value":"a"}}`:                                                    9102,
		`{"type":"CAA","data":{"flags":"none","tag":"issue","value":"a"}}`:                                                9102,
		`{"type":"CERT","data":{"type":1,"key_tag":65536,"algorithm":8,"certificate":"bXkga2V5"}}`:                        9102,
		`{"type":"DNSKEY","data":{"flags":257,"protocol":3,"algorithm":13,"public_key":"no base64"}}`:                     9102,
		`{"type":"DS","data":{"key_tag":1,"algorithm":13,"digest_type":2,"digest":"xyz"}}`:                                9102,
		`{"type":"HTTPS","data":{"priority":1,"target":"no name","value":""}}`:                                            9102,
		`{"type":"LOC","data":{"lat_degrees":91,"lat_direction":"N","long_degrees":2,"long_direction":"E","altitude":0}}`: 9102,
		`{"type":"LOC","data":{"lat_degrees":9,"lat_direction":"E","long_degrees":2,"long_direction":"E","altitude":0}}`:  9102,
		`{"type":"NAPTR","data":{"order":-1,"preference":10,"flags":"","service":"","regex":"","replacement":"."}}`:       9102,
		`{"type":"OPENPGPKEY","content":"no base64"}`:                                                                     9012,
		`{"type":"SMIMEA","data":{"usage":3,"selector":0,"matching_type":1,"certificate":"0"}}`:                           9102,
		`{"type":"SRV","data":{"priority":5,"weight":0,"port":70000,"target":"a.example.net"}}`:                           9102,
		`{"type":"SSHFP","data":{"algorithm":4,"type":1,"fingerprint":""}}`:                                               9102,
		`{"type":"TLSA","data":{"usage":3,"selector":1,"matching_type":1,"certificate":7}}`:                               9102,
		`{"type":"URI","priority":10,"data":{"weight":1,"target":""}}`:                                                    9102,
		`{"type":"URI","data":{"weight":1,"target":"https://example.net"}}`:                                               9101,
		`{"type":"TLSA","proxied":true,"data":{"usage":3,"selector":1,"matching_type":1,"certificate":"2b"}}`:             9004,
	} {
		_, err := made(t, `{"name":"a","ttl":1,`+body[1:])
		var no *refusal
		if !errors.As(err, &no) || no.messages[0].Code != code {
			t.Errorf("%s\nis answered with %v, not %d", body, err, code)
		}
	}
}

func TestTakesTheFlagsOfACAARecordAsText(t *testing.T) {
	r, err := made(t, `{"name":"a","ttl":1,"type":"CAA","data":{"flags":"128","tag":"iodef","value":"mailto:a@example.net"}}`)
	if err != nil || r.Content != `128 iodef "mailto:a@example.net"` {
		t.Errorf("got %q, %v", r.Content, err)
	}
}

func TestKeepsNoDataOfTypesThatHaveNone(t *testing.T) {
	r, err := made(t, `{"name":"a","ttl":1,"type":"A","content":"192.0.2.1","data":{"flags":1}}`)
	if err != nil || r.Data != nil {
		t.Errorf("got %v, %v", r.Data, err)
	}
}

func TestGivesThePriorityOfAnSRVRecordBesideItsContent(t *testing.T) {
	r, err := made(t, `{"name":"_a._tcp","ttl":1,"type":"SRV","data":{"priority":5,"weight":1,"port":2,"target":"b.example.net"}}`)
	if err != nil || r.Priority == nil || *r.Priority != 5 {
		t.Errorf("got %v, %v", r.Priority, err)
	}
}
