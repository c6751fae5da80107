package main

import (
	"encoding/base64"
	"strings"
)

// placeholder replaces a value that only the cluster can decrypt.
const placeholder = "placeholder"

// conceal replaces encrypted values with placeholders, and returns whether there were any.
func conceal(object map[string]any) bool {
	if _, encrypted := object["sops"].(map[string]any); !encrypted {
		return false
	}
	delete(object, "sops")
	if object["kind"] == "Secret" {
		if data, ok := object["data"].(map[string]any); ok {
			for key := range data {
				data[key] = base64.StdEncoding.EncodeToString([]byte(placeholder))
			}
		}
	}
	concealIn(object)
	return true
}

func concealIn(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, each := range v {
			v[key] = concealIn(each)
		}
	case []any:
		for index, each := range v {
			v[index] = concealIn(each)
		}
	case string:
		if strings.HasPrefix(v, "ENC[") {
			return standIn(v)
		}
	}
	return value
}

// standIn returns a value of the type that an encrypted value states.
func standIn(encrypted string) any {
	switch {
	case strings.HasSuffix(encrypted, "type:int]"), strings.HasSuffix(encrypted, "type:float]"):
		return int64(0)
	case strings.HasSuffix(encrypted, "type:bool]"):
		return false
	default:
		return placeholder
	}
}
