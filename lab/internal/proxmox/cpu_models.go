package proxmox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// cpuModels are the CPU types of machines. Source: qemu-server 9.2.6, PVE/QemuServer/CPUConfig.pm.
var cpuModels = strings.Fields(`host
486 Broadwell Broadwell-IBRS Broadwell-noTSX Broadwell-noTSX-IBRS Cascadelake-Server Cascadelake-Server-noTSX
Cascadelake-Server-v2 Cascadelake-Server-v4 Cascadelake-Server-v5 ClearwaterForest Conroe Cooperlake Cooperlake-v2 EPYC
EPYC-Genoa EPYC-Genoa-v2 EPYC-IBPB EPYC-Milan EPYC-Milan-v2 EPYC-Milan-v3 EPYC-Rome EPYC-Rome-v2 EPYC-Rome-v3
EPYC-Rome-v4 EPYC-Rome-v5 EPYC-Turin EPYC-v3 EPYC-v4 EPYC-v5 GraniteRapids GraniteRapids-v2 GraniteRapids-v3 Haswell
Haswell-IBRS Haswell-noTSX Haswell-noTSX-IBRS Icelake-Client Icelake-Client-noTSX Icelake-Server Icelake-Server-noTSX
Icelake-Server-v3 Icelake-Server-v4 Icelake-Server-v5 Icelake-Server-v6 Icelake-Server-v7 IvyBridge IvyBridge-IBRS
KnightsMill Nehalem Nehalem-IBRS Opteron_G1 Opteron_G2 Opteron_G3 Opteron_G4 Opteron_G5 Penryn SandyBridge
SandyBridge-IBRS SapphireRapids SapphireRapids-v2 SapphireRapids-v3 SapphireRapids-v4 SierraForest SierraForest-v2
SierraForest-v3 Skylake-Client Skylake-Client-IBRS Skylake-Client-noTSX-IBRS Skylake-Client-v4 Skylake-Server
Skylake-Server-IBRS Skylake-Server-noTSX-IBRS Skylake-Server-v4 Skylake-Server-v5 Westmere Westmere-IBRS a64fx athlon
core2duo coreduo cortex-a35 cortex-a53 cortex-a55 cortex-a57 cortex-a710 cortex-a72 cortex-a76 kvm32 kvm64 max
neoverse-n1 neoverse-n2 neoverse-v1 pentium pentium2 pentium3 phenom qemu32 qemu64 x86-64-v2 x86-64-v2-AES x86-64-v3
x86-64-v4`)

// cpuFlags are the CPU flags that a machine may set. Source: qemu-server 9.2.6, PVE/QemuServer/CPUFlags.pm.
var cpuFlags = strings.Fields(`aes amd-no-ssb amd-ssbd hv-evmcs hv-tlbflush ibpb md-clear nested-virt pcid pdpe1gb
spec-ctrl ssbd virt-ssbd`)

var cpuFlagList = func() *regexp.Regexp {
	flag := `[+-](?:` + strings.Join(cpuFlags, "|") + `)`
	return regexp.MustCompile(`^` + flag + `(?:;` + flag + `)*$`)
}()

// checkCPU applies Proxmox's checks of a whole CPU configuration, validate_vm_cpu_conf.
func checkCPU(cpu fields) error {
	model, flags := cpu["cputype"], cpu["flags"]
	custom, isCustom := strings.CutPrefix(model, "custom-")
	switch {
	case model == "":
		return fmt.Errorf("CPU is missing cputype\n")
	case isCustom:
		return fmt.Errorf("Custom cputype '%s' not found\n", custom)
	case !slices.Contains(cpuModels, model):
		return fmt.Errorf("Built-in cputype '%s' is not defined (missing 'custom-' prefix?)\n", model)
	case flags != "" && !cpuFlagList.MatchString(flags):
		return fmt.Errorf("VM-specific CPU flags must be a subset of: %s\n", strings.Join(cpuFlags, ", "))
	case cpu["reported-model"] != "":
		return fmt.Errorf("Property 'reported-model' not allowed in VM-specific CPU config.\n")
	}
	return nil
}
