package proxmox

// Schemas of drives. Source: Proxmox VE 9, qemu-server, PVE/QemuServer/Drive.pm.

var (
	imageFormat = enum("raw", "qcow", "qed", "qcow2", "vmdk", "cloop")
	diskSize    = func() property { p := formatted(isSize); p.bytes = true; return p }()
	driveFile   = formatted(isVolumeOrPath).asMain().need()

	driveCommon = schema{
		"volume": {alias: "file"}, "file": driveFile,
		"media": enum("cdrom", "disk"), "snapshot": flag(),
		"cache":  enum("none", "writethrough", "writeback", "unsafe", "directsync"),
		"format": imageFormat, "size": diskSize, "backup": flag(), "replicate": flag(),
		"rerror": enum("ignore", "report", "stop"), "werror": enum("enospc", "ignore", "report", "stop"),
		"aio": enum("native", "threads", "io_uring"), "discard": enum("ignore", "on"), "detect_zeroes": flag(),
		"serial": formatted(isURLEncoded).upTo(60), "shared": flag(),
		// Used at creation only. The stored configuration does not have it.
		"import-from": formatted(isVolumeOrPath),
	}
	driveLimits = schema{
		"bps": anyInteger(), "bps_rd": anyInteger(), "bps_wr": anyInteger(),
		"mbps": number(0, 1e9), "mbps_rd": number(0, 1e9), "mbps_wr": number(0, 1e9),
		"iops": anyInteger(), "iops_rd": anyInteger(), "iops_wr": anyInteger(),
		"mbps_max": number(0, 1e9), "mbps_rd_max": number(0, 1e9), "mbps_wr_max": number(0, 1e9),
		"iops_max": anyInteger(), "iops_rd_max": anyInteger(), "iops_wr_max": anyInteger(),
		"bps_max_length": atLeast(1), "bps_rd_max_length": atLeast(1), "bps_wr_max_length": atLeast(1),
		"iops_max_length": atLeast(1), "iops_rd_max_length": atLeast(1), "iops_wr_max_length": atLeast(1),
	}
	driveIOThread = schema{"iothread": flag()}
	driveSSD      = schema{"ssd": flag()}
	driveWWN      = schema{"wwn": matching(`0x[0-9a-fA-F]{16}`)}
	driveReadOnly = schema{"ro": flag()}
	driveSCSI     = schema{
		"product": matching(`[A-Za-z0-9\-_\s]{0,16}`), "vendor": matching(`[A-Za-z0-9\-_\s]{0,8}`),
		"queues": atLeast(2), "scsiblock": flag(),
	}

	ideDrive    = with(driveCommon, driveLimits, driveSSD, driveWWN, schema{"model": formatted(isURLEncoded).upTo(120)})
	sataDrive   = with(driveCommon, driveLimits, driveSSD, driveWWN)
	scsiDrive   = with(driveCommon, driveLimits, driveIOThread, driveSSD, driveWWN, driveReadOnly, driveSCSI)
	virtioDrive = with(driveCommon, driveLimits, driveIOThread, driveReadOnly)
	efiDrive    = schema{
		"volume": {alias: "file"}, "file": driveFile, "format": imageFormat, "size": diskSize,
		"efitype": enum("2m", "4m"), "pre-enrolled-keys": flag(), "ms-cert": enum("2011", "2023", "2023w", "2023k"),
		"import-from": formatted(isVolumeOrPath),
	}
	tpmDrive = schema{
		"volume": {alias: "file"}, "file": driveFile, "format": enum("raw", "qcow2", "vmdk", "subvol"), "size": diskSize,
		"version": enum("v1.2", "v2.0"), "import-from": formatted(isVolumeOrPath),
	}
	unusedDrive = schema{"volume": {alias: "file"}, "file": formatted(isVolumeID).asMain().need()}

	driveParameters = with(
		numbered("ide", 4, parts(ideDrive)), numbered("sata", 6, parts(sataDrive)),
		numbered("scsi", 31, parts(scsiDrive)), numbered("virtio", 16, parts(virtioDrive)),
		schema{"efidisk0": parts(efiDrive), "tpmstate0": parts(tpmDrive)},
	)
)
