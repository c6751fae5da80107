package talos

import (
	"path"
	"strconv"

	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"

	"hearth.dev/lab/internal/factory"
)

// extension is an extension of the running image.
type extension struct{ name, version, author, description string }

// extensions are those of the image's schematic, and the virtual one that names the schematic. The lab does not know the
// releases of extensions, so they have Talos' own. Source of the virtual one: siderolabs/image-factory 26b95ca,
// internal/artifacts/schematic.go; of the resource: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/runtime/extension_status.go.
func (b *boot) extensions() []extension {
	if b.image.Schematic == "" {
		return nil
	}
	names, err := factory.Open(b.machine.lab).Extensions(b.image.Schematic)
	if err != nil {
		b.machine.log.Printf("reading the extensions of schematic %s: %v", b.image.Schematic, err)
	}
	var all []extension
	for _, name := range names {
		all = append(all, extension{name: path.Base(name), version: b.image.Version, author: "Sidero Labs", description: name})
	}
	return append(all, extension{
		name: "schematic", version: b.image.Schematic, author: "Image Factory (https://" + factory.Host + ")",
		description: "Virtual extension which specifies the schematic of the image built with schematic.",
	})
}

func (b *boot) extensionVersions() map[string]string {
	all := map[string]string{}
	for _, each := range b.extensions() {
		all[each.name] = each.version
	}
	return all
}

func (b *boot) publishExtensions() {
	for index, each := range b.extensions() {
		put(b, runtime.NewExtensionStatus(runtime.NamespaceName, strconv.Itoa(index)), func(r *runtime.ExtensionStatus) {
			r.TypedSpec().Image = strconv.Itoa(index) + ".sqsh"
			r.TypedSpec().Metadata.Name, r.TypedSpec().Metadata.Version = each.name, each.version
			r.TypedSpec().Metadata.Author, r.TypedSpec().Metadata.Description = each.author, each.description
		})
	}
}
