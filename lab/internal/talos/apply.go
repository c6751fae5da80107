package talos

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configdiff"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/container"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	configres "github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/role"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// metalMode makes Talos validate as strictly as on bare metal on every platform, because the same configuration should
// be valid for both.
type metalMode struct{}

func (metalMode) String() string        { return "metal" }
func (metalMode) RequiresInstall() bool { return true }
func (metalMode) InContainer() bool     { return false }

// ApplyConfiguration validates a configuration and applies it in one of Talos's modes.
func (m *machined) ApplyConfiguration(ctx context.Context, in *machine.ApplyConfigurationRequest) (*machine.ApplyConfigurationResponse, error) {
	if !m.applying.TryLock() {
		return nil, status.Error(codes.FailedPrecondition, "another apply configuration is already in progress")
	}
	defer m.applying.Unlock()
	current := m.config()
	if current != nil && !rolesOf(ctx).Includes(role.Admin) {
		return nil, errNotAuthorized
	}
	cfg, warnings, err := m.check(ctx, in.Data, current != nil)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	mode, details, err := m.decideMode(in.Mode, current, cfg)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if in.DryRun {
		diff, err := diffText(current, cfg)
		if err != nil {
			return nil, err
		}
		details = fmt.Sprintf("Dry run summary:\n%s (skipped in dry-run).\n%s", details, diff)
		return applied(mode, details, nil), nil
	}
	m.mu.Lock()
	leaving := m.leaving
	m.mu.Unlock()
	if leaving {
		return nil, status.Error(codes.FailedPrecondition, "configuration was already applied and node is rebooting, cannot apply more configuration changes until next reboot")
	}
	if err := m.accept(mode, in, current, cfg, &details); err != nil {
		return nil, err
	}
	m.machine.log.Printf("a machine configuration was applied: %s", strings.SplitN(details, "\n", 2)[0])
	return applied(mode, details, warnings), nil
}

func applied(mode machine.ApplyConfigurationRequest_Mode, details string, warnings []string) *machine.ApplyConfigurationResponse {
	return &machine.ApplyConfigurationResponse{Messages: []*machine.ApplyConfiguration{
		{Mode: mode, ModeDetails: details, Warnings: warnings},
	}}
}

// check parses and validates a configuration with Talos's own code, and looks for the install disk on this machine.
func (m *machined) check(ctx context.Context, data []byte, running bool) (config.Provider, []string, error) {
	cfg, err := configloader.NewFromBytes(data)
	if err != nil {
		return nil, nil, err
	}
	if cfg.RawV1Alpha1() == nil {
		if running {
			return nil, nil, errors.New("the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch the machine config instead?")
		}
		warnings, err := cfg.Validate(metalMode{})
		return cfg, warnings, err
	}
	warnings, err := cfg.Validate(metalMode{})
	if err != nil {
		return nil, nil, err
	}
	more, err := cfg.RuntimeValidate(ctx, m.state, metalMode{})
	if err != nil {
		return nil, nil, err
	}
	if _, err := m.machine.installDisk(ctx, m.state, cfg); err != nil {
		return nil, nil, err
	}
	if !m.machine.kept().Installed {
		if _, err := parseInstaller(cfg.Machine().Install().Image()); err != nil {
			return nil, nil, fmt.Errorf("machine.install.image %q: %w", cfg.Machine().Install().Image(), err)
		}
	}
	return cfg, slices.Concat(warnings, more), nil
}

// decideMode resolves a mode for this machine's present state.
func (m *machined) decideMode(asked machine.ApplyConfigurationRequest_Mode, current, next config.Provider) (machine.ApplyConfigurationRequest_Mode, string, error) {
	const (
		without = "Applied configuration without a reboot"
		with    = "Applied configuration with a reboot"
	)
	if current == nil {
		if asked == machine.ApplyConfigurationRequest_STAGED {
			return asked, "Staged configuration to be applied after the next reboot", nil
		}
		return machine.ApplyConfigurationRequest_NO_REBOOT, without, nil
	}
	obstacle := needsReboot(current, next)
	switch asked {
	case machine.ApplyConfigurationRequest_TRY, machine.ApplyConfigurationRequest_NO_REBOOT:
		return asked, without, obstacle
	case machine.ApplyConfigurationRequest_STAGED:
		return asked, "Staged configuration to be applied after the next reboot", nil
	case machine.ApplyConfigurationRequest_REBOOT:
		return asked, with, nil
	case machine.ApplyConfigurationRequest_AUTO:
		if obstacle != nil {
			return machine.ApplyConfigurationRequest_REBOOT, with + ": " + obstacle.Error(), nil
		}
		return machine.ApplyConfigurationRequest_NO_REBOOT, without, nil
	}
	return asked, "", fmt.Errorf("incorrect mode '%s' specified for the apply config call", asked)
}

// accept stores the configuration as the mode says and starts applying it.
func (m *machined) accept(mode machine.ApplyConfigurationRequest_Mode, in *machine.ApplyConfigurationRequest, current, cfg config.Provider, details *string) error {
	m.mu.Lock()
	if m.rollback != nil {
		m.rollback.Stop()
		m.rollback = nil
	}
	m.mu.Unlock()
	if cfg.RawV1Alpha1() == nil {
		m.settle(cfg)
		return nil
	}
	if mode == machine.ApplyConfigurationRequest_TRY {
		timeout := constants.ConfigTryTimeout
		if in.TryModeTimeout != nil {
			timeout = in.TryModeTimeout.AsDuration()
		}
		*details += fmt.Sprintf("\nThe config is applied in 'try' mode and will be automatically reverted back in %s", timeout)
		m.mu.Lock()
		m.rollback = time.AfterFunc(timeout, func() { m.become(current) })
		m.mu.Unlock()
		go m.become(cfg)
		return nil
	}
	if err := m.machine.disk.saveConfig(in.Data); err != nil {
		return fmt.Errorf("storing the configuration: %w", err)
	}
	if err := m.publishConfig(configres.NewMachineConfigWithID(cfg, configres.PersistentID)); err != nil {
		return err
	}
	switch {
	case mode == machine.ApplyConfigurationRequest_STAGED:
	case current == nil:
		m.configured <- cfg
	case mode == machine.ApplyConfigurationRequest_REBOOT:
		go m.reboot("")
	default:
		go m.become(cfg)
	}
	return nil
}

// settle has the machine take the address that a configuration without a machine section sets. It stays in maintenance
// mode. The lab knows no other address for it than its own.
func (b *boot) settle(cfg config.Provider) {
	for _, link := range cfg.NetworkCommonLinkConfigs() {
		for _, set := range link.Addresses() {
			if set.Address().Addr() == b.machine.own() && b.machine.address != b.machine.own() {
				b.end(moved)
			}
		}
	}
}

func (b *boot) become(cfg config.Provider) {
	if err := b.activate(cfg); err != nil && b.ctx.Err() == nil {
		b.machine.log.Printf("applying the configuration: %v", err)
	}
}

func diffText(current, next config.Provider) (string, error) {
	var from config.Encoder
	if current != nil {
		from = current
	}
	diff, err := configdiff.DiffConfigs(from, next)
	if err != nil {
		return "", fmt.Errorf("failed to generate diff: %w", err)
	}
	if diff == "" {
		diff = "No changes."
	}
	return "Config diff:\n\n" + diff, nil
}

// needsReboot returns why a change cannot take effect on the running machine, nil if it can. The allowed changes are
// those of Talos 1.13.
func needsReboot(current, next config.Provider) error {
	from, to := current.RawV1Alpha1(), next.RawV1Alpha1()
	if from == nil || to == nil {
		return errors.New("the configuration has no machine section")
	}
	rest := to.DeepCopy()
	rest.ConfigDebug, rest.ClusterConfig = from.ConfigDebug, from.ClusterConfig
	if rest.MachineConfig != nil && from.MachineConfig != nil {
		target, source := reflect.ValueOf(rest.MachineConfig).Elem(), reflect.ValueOf(from.MachineConfig).Elem()
		for _, field := range changesWhileRunning {
			target.FieldByName(field).Set(source.FieldByName(field))
		}
		if a, b := rest.MachineConfig.MachineFeatures, from.MachineConfig.MachineFeatures; a != nil && b != nil {
			target, source := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
			for _, field := range featuresWhileRunning {
				target.FieldByName(field).Set(source.FieldByName(field))
			}
		}
	}
	if reflect.DeepEqual(from, rest) {
		return nil
	}
	diff, err := configdiff.DiffConfigs(container.NewV1Alpha1(from), container.NewV1Alpha1(rest))
	if err != nil {
		return fmt.Errorf("error calculating diff: %w", err)
	}
	return fmt.Errorf("this config change can't be applied in immediate mode\ndiff:\n%s", diff)
}

var (
	changesWhileRunning = []string{
		"MachineCA", "MachineAcceptedCAs", "MachineTime", "MachineCertSANs", "MachineInstall", "MachineNetwork", "MachineSysfs",
		"MachineSysctls", "MachineLogging", "MachineControlPlane", "MachineKubelet", "MachineKernel", "MachineRegistries",
		"MachinePods", "MachineSeccompProfiles", "MachineNodeAnnotations", "MachineNodeLabels", "MachineNodeTaints",
	}
	featuresWhileRunning = []string{
		"KubernetesTalosAPIAccessConfig", "KubePrismSupport", "HostDNSSupport", "ImageCacheSupport", "FeatureNodeAddressSortAlgorithm",
	}
)
