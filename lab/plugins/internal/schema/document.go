package schema

// Document is the part of a Pulumi package schema that says what a plugin accepts and returns.
type Document struct {
	Name      string                      `json:"name"`
	Version   string                      `json:"version"`
	Config    map[string]any              `json:"config"`
	Provider  map[string]any              `json:"provider"`
	Resources map[string]ResourceDocument `json:"resources"`
	Functions map[string]FunctionDocument `json:"functions"`
}

// ResourceDocument describes a resource in a package schema.
type ResourceDocument struct {
	InputProperties map[string]any `json:"inputProperties"`
	RequiredInputs  []string       `json:"requiredInputs,omitempty"`
	Properties      map[string]any `json:"properties"`
}

// FunctionDocument describes a function in a package schema.
type FunctionDocument struct {
	Inputs  map[string]any `json:"inputs"`
	Outputs map[string]any `json:"outputs"`
}

// Inputs returns the input properties in the form of a package schema, and the names of the required ones.
func (ps Properties) Inputs() (map[string]any, []string) {
	properties, required := map[string]any{}, []string(nil)
	for _, name := range ps.names() {
		property := ps[name]
		if property.Computed {
			continue
		}
		properties[name] = property.document()
		if property.Required {
			required = append(required, name)
		}
	}
	return properties, required
}

// Outputs returns all properties in the form of a package schema.
func (ps Properties) Outputs() map[string]any {
	properties := map[string]any{}
	for _, name := range ps.names() {
		properties[name] = ps[name].document()
	}
	return properties
}

// document describes nested records as free-form objects. A package schema would need a named type for each, which no
// reader of this one needs.
func (p *Property) document() map[string]any {
	var document map[string]any
	switch p.Kind {
	case Array:
		document = map[string]any{"type": "array", "items": p.Element.document()}
	case Map:
		document = map[string]any{"type": "object", "additionalProperties": p.Element.document()}
	case Record:
		document = map[string]any{"type": "object", "additionalProperties": map[string]any{"$ref": "pulumi.json#/Any"}}
	case Any:
		document = map[string]any{"$ref": "pulumi.json#/Any"}
	case JSON:
		document = map[string]any{"type": "string"}
	default:
		document = map[string]any{"type": string(p.Kind)}
	}
	if p.Secret {
		document["secret"] = true
	}
	if p.Replaces {
		document["willReplaceOnChanges"] = true
	}
	return document
}
