/** Series of a sample a minute, from time 0, in the notation of promtool's tests. */
type Series = readonly string[];

/** Situations in which an alert has to fire, and in which it must not. */
export interface Situations {
  fires: readonly Series[];
  quiet: readonly Series[];
}

/** Where nothing of what an alert is about is heard. */
const nothing = (minutes = 60): Series => [`something_else 1x${minutes.toString()}`];

const disk = '{node="wk01",device="sda"}';
const flux = (ready: string, suspended = "False"): string =>
  `flux_resource_info{kind="Kustomization",exported_namespace="flux-system",name="apps",reason="x",revision="y",ready="${ready}",suspended="${suspended}"}`;
const certificate = (condition: string): string =>
  `certmanager_certificate_ready_status{exported_namespace="gateways",name="internal",condition="${condition}"}`;
const bucket = (le: string): string => `etcd_request_duration_seconds_bucket{operation="get",le="${le}"}`;
const snapshot = 'kube_cronjob_status_last_successful_time{namespace="etcd-backup",cronjob="etcd-backup"}';
const backup = 'barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{namespace="apps",pod="db-1"}';
const postgres = 'cnpg_collector_up{namespace="apps",pod="db-1"}';

/** Ceph's monitors, and which of them are in the quorum. */
const monitors = (...inQuorum: number[]): Series =>
  inQuorum.flatMap((value, index) => [
    `ceph_mon_metadata{ceph_daemon="mon.${index.toString()}"} 1x60`,
    `ceph_mon_quorum_status{ceph_daemon="mon.${index.toString()}"} ${value.toString()}x60`,
  ]);

/** By the name of the alert. */
export const situations: Readonly<Record<string, Situations>> = {
  PostgresBackupLate: { fires: [[`${backup} 0x3000`]], quiet: [[`${backup} 0+60x3000`]] },
  PostgresChangesNotArchived: {
    fires: [["cnpg_pg_stat_archiver_last_failed_time 100x60", "cnpg_pg_stat_archiver_last_archived_time 50x60"]],
    quiet: [["cnpg_pg_stat_archiver_last_failed_time 50x60", "cnpg_pg_stat_archiver_last_archived_time 100x60"]],
  },
  PostgresDown: { fires: [[`${postgres} 0x60`], [`${postgres} 1x10 _x60`]], quiet: [[`${postgres} 1x60`]] },
  PostgresCopyLagging: { fires: [["cnpg_pg_replication_lag 400x60"]], quiet: [["cnpg_pg_replication_lag 10x60"]] },
  PostgresOperatorMissing: {
    fires: [nothing()],
    quiet: [['controller_runtime_active_workers{namespace="cnpg-system"} 0x60']],
  },
  EtcdMemberDown: { fires: [['up{job="etcd"} 0x60']], quiet: [['up{job="etcd"} 1x60']] },
  EtcdNoLeader: {
    fires: [['etcd_server_has_leader{job="etcd"} 0x60']],
    quiet: [['etcd_server_has_leader{job="etcd"} 1x60']],
  },
  EtcdFragmented: {
    fires: [
      [
        'etcd_mvcc_db_total_size_in_bytes{job="etcd"} 1000000000x1500',
        'etcd_mvcc_db_total_size_in_use_in_bytes{job="etcd"} 300000000x1500',
      ],
    ],
    quiet: [
      [
        'etcd_mvcc_db_total_size_in_bytes{job="etcd"} 1000000000x1500',
        'etcd_mvcc_db_total_size_in_use_in_bytes{job="etcd"} 900000000x1500',
      ],
      [
        'etcd_mvcc_db_total_size_in_bytes{job="etcd"} 100000000x1500',
        'etcd_mvcc_db_total_size_in_use_in_bytes{job="etcd"} 30000000x1500',
      ],
    ],
  },
  EtcdLeaderChanges: {
    fires: [['etcd_server_leader_changes_seen_total{job="etcd"} 1+1x120']],
    quiet: [['etcd_server_leader_changes_seen_total{job="etcd"} 1x60 2x60']],
  },
  LogsNotStored: {
    fires: [['fluentbit_output_retries_total{node="wk01",pod="fluent-bit"} 0+1x120']],
    quiet: [['fluentbit_output_retries_total{node="wk01",pod="fluent-bit"} 5x120']],
  },
  LogsOfMachineMissing: {
    fires: [['fluentbit_input_records_total{name="talos",node="wk01"} 5x600']],
    quiet: [['fluentbit_input_records_total{name="talos",node="wk01"} 0+10x600']],
  },
  LogsSilent: {
    fires: [['up{job="fluent-bit/fluent-bit"} 0x60'], nothing()],
    quiet: [['up{job="fluent-bit/fluent-bit"} 1x60']],
  },
  LogsReadOnly: { fires: [["vl_storage_is_read_only 1x60"]], quiet: [["vl_storage_is_read_only 0x60"]] },
  LogsDropped: {
    fires: [['vl_rows_dropped_total{reason="too_old"} 0+1x200']],
    quiet: [['vl_rows_dropped_total{reason="too_old"} 3x200']],
  },
  DiskFailing: {
    fires: [[`smartctl_device_smart_status${disk} 0x60`], [`smartctl_device_critical_warning${disk} 4x60`]],
    quiet: [[`smartctl_device_smart_status${disk} 1x60`, `smartctl_device_critical_warning${disk} 0x60`]],
  },
  DiskErrors: {
    fires: [[`smartctl_device_media_errors${disk} 0x100 1x100`]],
    quiet: [[`smartctl_device_media_errors${disk} 7x1600`]],
  },
  DiskWornOut: {
    fires: [
      [`smartctl_device_percentage_used${disk} 95x120`],
      [`smartctl_device_available_spare${disk} 5x120`, `smartctl_device_available_spare_threshold${disk} 10x120`],
    ],
    quiet: [
      [
        `smartctl_device_percentage_used${disk} 12x120`,
        `smartctl_device_available_spare${disk} 100x120`,
        `smartctl_device_available_spare_threshold${disk} 10x120`,
      ],
    ],
  },
  DiskHot: {
    fires: [['smartctl_device_temperature{node="wk01",device="sda",temperature_type="current"} 75x60']],
    quiet: [
      [
        'smartctl_device_temperature{node="wk01",device="sda",temperature_type="current"} 40x60',
        'smartctl_device_temperature{node="wk01",device="sda",temperature_type="drive_trip"} 90x60',
      ],
    ],
  },
  RouteDown: {
    fires: [['gatus_results_endpoint_success{group="lan",name="grafana"} 0x60']],
    quiet: [['gatus_results_endpoint_success{group="lan",name="grafana"} 1x60']],
  },
  PublicRoutesDown: {
    fires: [['gatus_results_endpoint_success{group="internet",name="app"} 0x60']],
    quiet: [
      [
        'gatus_results_endpoint_success{group="internet",name="app"} 0x60',
        'gatus_results_endpoint_success{group="internet",name="other"} 1x60',
      ],
    ],
  },
  StatusSilent: {
    fires: [['up{job="status/gatus"} 0x60'], nothing()],
    quiet: [['up{job="status/gatus"} 1x60']],
  },
  TunnelDown: {
    fires: [['cloudflared_tunnel_ha_connections{pod="a"} 0x60'], nothing()],
    quiet: [['cloudflared_tunnel_ha_connections{pod="a"} 0x60', 'cloudflared_tunnel_ha_connections{pod="b"} 4x60']],
  },
  TunnelWeak: {
    fires: [['cloudflared_tunnel_ha_connections{pod="a"} 1x60', 'cloudflared_tunnel_ha_connections{pod="b"} 4x60']],
    quiet: [['cloudflared_tunnel_ha_connections{pod="a"} 4x60']],
  },
  TunnelRequestsFail: {
    fires: [["cloudflared_tunnel_request_errors 0+10x60", "cloudflared_tunnel_total_requests 0+100x60"]],
    quiet: [
      ["cloudflared_tunnel_request_errors 0+1x60", "cloudflared_tunnel_total_requests 0+100x60"],
      ["cloudflared_tunnel_request_errors 0x60", "cloudflared_tunnel_total_requests 0x60"],
    ],
  },
  FluxNotReady: {
    fires: [[`${flux("False")} 1x60`]],
    quiet: [[`${flux("True")} 1x60`], [`${flux("False", "True")} 1x60`]],
  },
  FluxSuspended: { fires: [[`${flux("True", "True")} 1x1500`]], quiet: [[`${flux("True")} 1x1500`]] },
  FluxInstanceNotReady: {
    fires: [['flux_instance_info{ready="False",reason="x"} 1x60']],
    quiet: [['flux_instance_info{ready="True",reason="x"} 1x60']],
  },
  FluxSilent: { fires: [nothing()], quiet: [['flux_instance_info{ready="True"} 1x60']] },
  CertificateNotReady: {
    fires: [[`${certificate("True")} 0x60`, `${certificate("False")} 1x60`]],
    quiet: [[`${certificate("True")} 1x60`, `${certificate("False")} 0x60`]],
  },
  CertificateExpiresSoon: {
    fires: [["certmanager_certificate_expiration_timestamp_seconds 1000000x100"]],
    quiet: [["certmanager_certificate_expiration_timestamp_seconds 9000000x100"]],
  },
  CertManagerSilent: {
    fires: [nothing(), ['up{job="cert-manager"} 0x60']],
    quiet: [['up{job="cert-manager"} 1x60']],
  },
  EtcdRequestsFail: {
    fires: [["etcd_request_errors_total 0+10x60", "etcd_requests_total 0+100x60"]],
    quiet: [["etcd_request_errors_total 0x60", "etcd_requests_total 0+100x60"], ["etcd_requests_total 0+100x60"]],
  },
  EtcdSlow: {
    fires: [[`${bucket("0.1")} 0x60`, `${bucket("1")} 0+10x60`, `${bucket("+Inf")} 0+10x60`]],
    quiet: [[`${bucket("0.1")} 0+10x60`, `${bucket("1")} 0+10x60`, `${bucket("+Inf")} 0+10x60`]],
  },
  EtcdLarge: {
    fires: [["apiserver_storage_size_bytes 1700000000x60"]],
    quiet: [["apiserver_storage_size_bytes 100000000x60"]],
  },
  MailWaits: { fires: [["maddy_queue_length 2x120"]], quiet: [["maddy_queue_length 0x120"]] },
  LinstorVolumeWithoutQuorum: {
    fires: [['drbd_device_quorum{name="pvc",node="wk01"} 0x60']],
    quiet: [['drbd_device_quorum{name="pvc",node="wk01"} 1x60']],
  },
  LinstorVolumeWithoutGoodCopy: {
    fires: [['drbd_device_state{name="pvc",node="wk01",drbd_device_state="UpToDate"} 0x60']],
    quiet: [
      [
        'drbd_device_state{name="pvc",node="wk01",drbd_device_state="UpToDate"} 0x60',
        'drbd_device_state{name="pvc",node="wk02",drbd_device_state="UpToDate"} 1x60',
      ],
    ],
  },
  LinstorCopiesNotConnected: {
    fires: [['drbd_connection_state{name="pvc",node="wk01",drbd_connection_state="StandAlone"} 1x60']],
    quiet: [
      [
        'drbd_connection_state{name="pvc",node="wk01",drbd_connection_state="StandAlone"} 0x60',
        'drbd_connection_state{name="pvc",node="wk01",drbd_connection_state="Connected"} 1x60',
      ],
    ],
  },
  LinstorPoolNearlyFull: {
    fires: [["linstor_storage_pool_capacity_free_bytes 1x60", "linstor_storage_pool_capacity_total_bytes 10x60"]],
    quiet: [["linstor_storage_pool_capacity_free_bytes 5x60", "linstor_storage_pool_capacity_total_bytes 10x60"]],
  },
  LinstorMetricsMissing: { fires: [nothing()], quiet: [["linstor_info 1x60"]] },
  CephHealthError: { fires: [["ceph_health_status 2x60"]], quiet: [["ceph_health_status 1x60"]] },
  CephHealthWarning: { fires: [["ceph_health_status 1x120"]], quiet: [["ceph_health_status 0x120"]] },
  CephDiskDown: {
    fires: [['ceph_osd_up{ceph_daemon="osd.0"} 0x60']],
    quiet: [['ceph_osd_up{ceph_daemon="osd.0"} 1x60']],
  },
  CephMonitorsLackQuorum: {
    fires: [monitors(1, 0, 0), monitors(0, 0, 0)],
    quiet: [monitors(1, 1, 0), monitors(1)],
  },
  CephNearlyFull: {
    fires: [["ceph_cluster_total_used_bytes 80x60", "ceph_cluster_total_bytes 100x60"]],
    quiet: [["ceph_cluster_total_used_bytes 10x60", "ceph_cluster_total_bytes 100x60"]],
  },
  CephMetricsMissing: { fires: [nothing()], quiet: [["ceph_health_status 0x60"]] },
  EtcdBackupLate: { fires: [[`${snapshot} 0x1000`]], quiet: [[`${snapshot} 0+60x1000`]] },
  EtcdBackupNever: { fires: [nothing(1000)], quiet: [[`${snapshot} 5x1000`]] },
  VolumeBackupLate: {
    fires: [['volsync_volume_out_of_sync{role="source"} 1x120']],
    quiet: [
      ['volsync_volume_out_of_sync{role="source"} 0x120', 'volsync_volume_out_of_sync{role="destination"} 1x120'],
    ],
  },
  VolumeRestoreStuck: {
    fires: [['volsync_volume_out_of_sync{role="destination"} 1x60']],
    quiet: [['volsync_volume_out_of_sync{role="destination"} 0x60']],
  },
  VolumeBackupMetricsMissing: {
    fires: [['up{job="volsync-metrics"} 0x60'], nothing()],
    quiet: [['up{job="volsync-metrics"} 1x60']],
  },
};
