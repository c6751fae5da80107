interface Machine {
  name: string;
  address: string;
  role: string;
  proxmox: { vmId: number };
}

/**
 * A configuration of OpenTofu for the machines: a VM of each, Talos's configuration of each and the bootstrap.
 *
 * @param tofu folder with the providers
 */
export const tofuFiles = (
  tofu: string,
  machines: readonly Machine[],
  { endpoint, token }: { endpoint: string; token: string },
): Record<string, string> => {
  const [first] = machines.filter(({ role }) => role === "controlplane");
  const each = Object.fromEntries(
    machines.map(({ name, address, role, proxmox }) => [name, { address, role, id: proxmox.vmId }]),
  );
  return {
    tofurc: `provider_installation {
  dev_overrides {
    "bpg/proxmox" = "${tofu}"
    "siderolabs/talos" = "${tofu}"
  }
}
`,
    "machines.auto.tfvars.json": JSON.stringify({ endpoint, token, machines: each, first: first?.address }),
    "main.tf": configuration,
  };
};

const configuration = `terraform {
  required_providers {
    proxmox = { source = "bpg/proxmox" }
    talos   = { source = "siderolabs/talos" }
  }
}

variable "endpoint" {}
variable "token" {}
variable "first" {}
variable "machines" { type = map(object({ address = string, role = string, id = number })) }

provider "proxmox" {
  endpoint  = var.endpoint
  api_token = var.token
  insecure  = true
}

resource "proxmox_virtual_environment_vm" "machine" {
  for_each  = var.machines
  name      = each.key
  node_name = "pve1"
  vm_id     = each.value.id
  cpu { cores = 2 }
  memory { dedicated = 4096 }
  network_device { bridge = "vmbr0" }
  disk {
    datastore_id = "local-lvm"
    interface    = "scsi0"
    size         = 40
  }
}

resource "talos_machine_secrets" "cluster" {}

data "talos_machine_configuration" "role" {
  for_each         = toset(["controlplane", "worker"])
  cluster_name     = "den-dev"
  cluster_endpoint = "https://\${var.first}:6443"
  machine_type     = each.key
  machine_secrets  = talos_machine_secrets.cluster.machine_secrets
}

resource "talos_machine_configuration_apply" "machine" {
  for_each                    = var.machines
  client_configuration        = talos_machine_secrets.cluster.client_configuration
  machine_configuration_input = data.talos_machine_configuration.role[each.value.role].machine_configuration
  node                        = each.value.address
  depends_on                  = [proxmox_virtual_environment_vm.machine]
}

resource "talos_machine_bootstrap" "cluster" {
  client_configuration = talos_machine_secrets.cluster.client_configuration
  node                 = var.first
  depends_on           = [talos_machine_configuration_apply.machine]
}
`;
