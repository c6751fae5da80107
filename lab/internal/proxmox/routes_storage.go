package proxmox

var (
	contentType = formatted(isContentType)
	checksum    = schema{
		"checksum":           text().requiring("checksum-algorithm"),
		"checksum-algorithm": enum("md5", "sha1", "sha224", "sha256", "sha384", "sha512").requiring("checksum"),
	}
	seesStorage = needsAny("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")
	// Source: pve-manager 9.2.11, PVE/API2/Nodes.pm, query_url_metadata; libpve-storage-perl 9.1.7, PVE/API2/Storage/Status.pm, download_url.
	downloads = needsOneOf(needs("/", "Sys.Audit", "Sys.Modify"), needs("/nodes/{node}", "Sys.AccessNetwork"))
)

var storageEndpoints = []endpoint{
	{"GET", "/storage", schema{"type": text()}, nil, clusterDatastores},
	{"GET", "/storage/{storage}", nil, []access{needs("/storage/{storage}", "Datastore.Allocate")}, clusterDatastore},
	{"GET", "/nodes/{node}/storage", schema{
		"storage": formatted(isStorageID), "content": formatted(each(isContentType)), "enabled": flag(), "format": flag(), "target": formatted(isNodeName),
	}, nil, listDatastores},
	{"GET", "/nodes/{node}/storage/{storage}/status", nil, []access{seesStorage}, datastoreStatus},
	{"GET", "/nodes/{node}/storage/{storage}/content", schema{"content": contentType, "vmid": vmID}, []access{seesStorage}, listContent},
	{"GET", "/nodes/{node}/storage/{storage}/content/{volume...}", nil, []access{seesStorage}, getContent},
	{"DELETE", "/nodes/{node}/storage/{storage}/content/{volume...}", schema{"delay": integer(1, 30)},
		[]access{needs("/storage/{storage}", "Datastore.Allocate")}, deleteContent},
	{"POST", "/nodes/{node}/storage/{storage}/upload", with(checksum, schema{
		"content": enum("iso", "vztmpl", "import").need(), "filename": text().upTo(255).need(), "tmpfilename": matching(`/var/tmp/pveupload-[0-9a-f]+`),
	}), []access{needs("/storage/{storage}", "Datastore.AllocateTemplate")}, uploadContent},
	{"POST", "/nodes/{node}/storage/{storage}/download-url", with(checksum, schema{
		"url": matching(`https?://.*`).need(), "content": enum("iso", "vztmpl", "import").need(), "filename": text().upTo(255).need(),
		"compression": enum("gz", "lzo", "zst", "bz2"), "verify-certificates": flag(),
	}), []access{needs("/storage/{storage}", "Datastore.AllocateTemplate"), downloads}, downloadURL},
	{"GET", "/nodes/{node}/query-url-metadata", schema{"url": matching(`https?://.*`).need(), "verify-certificates": flag()},
		[]access{downloads}, queryURLMetadata},
}
