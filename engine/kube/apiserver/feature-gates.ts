// The feature gates of v1.20 and their defaults, and what --feature-gates says about them.
// Not modelled: gates set otherwise than by default.

import { FlagError } from './flags.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const ON = words(`
  APIListChunking APIPriorityAndFairness APIResponseCompression AdvancedAuditing AllowInsecureBackendProxy AppArmor CPUManager
  CRIContainerLogRotation CSIInlineVolume CSIMigration CSIVolumeFSGroupPolicy ConfigurableFSGroupPolicy DefaultPodTopologySpread
  DevicePlugins DisableAcceleratorUsageMetrics DryRun DynamicKubeletConfig EndpointSlice EndpointSliceProxying ExecProbeTimeout
  ExpandCSIVolumes ExpandInUsePersistentVolumes ExpandPersistentVolumes HugePageStorageMediumSize ImmutableEphemeralVolumes
  KubeletPodResources LegacyNodeRoleBehavior LocalStorageCapacityIsolation NodeDisruptionExclusion NonPreemptingPriority
  PodDisruptionBudget PodOverhead RemainingItemCount RemoveSelfLink RootCAConfigMap RotateKubeletServerCertificate RunAsGroup
  ServerSideApply ServiceAccountIssuerDiscovery ServiceNodeExclusion SetHostnameAsFQDN StorageObjectInUseProtection
  StorageVersionHash StreamingProxyRedirects Sysctls TopologyManager ValidateProxyRedirects VolumeSubpath WarningHeaders
  WinOverlay
`);
const LOCKED_ON = words(`
  AttachVolumeLimit BlockVolume CSIBlockVolume CSIDriverRegistry CSINodeInfo EvenPodsSpread ExternalPolicyForExternalIP NodeLease
  RotateKubeletClientCertificate RuntimeClass SCTPSupport SelectorIndex ServiceAppProtocol StartupProbe SupportNodePidsLimit
  SupportPodPidsLimit TokenRequest TokenRequestProjection VolumePVCDataSource VolumeSnapshotDataSource WatchBookmark WindowsGMSA
  WindowsRunAsUserName
`);
const OFF = words(`
  APIServerIdentity AnyVolumeDataSource BalanceAttachedNodeVolumes BoundServiceAccountTokenVolume CSIMigrationAWS
  CSIMigrationAWSComplete CSIMigrationAzureDisk CSIMigrationAzureDiskComplete CSIMigrationAzureFile CSIMigrationAzureFileComplete
  CSIMigrationGCE CSIMigrationGCEComplete CSIMigrationOpenStack CSIMigrationOpenStackComplete CSIMigrationvSphere
  CSIMigrationvSphereComplete CSIServiceAccountToken CSIStorageCapacity CronJobControllerV2 CustomCPUCFSQuotaPeriod
  DownwardAPIHugePages EfficientWatchResumption EndpointSliceNodeName EndpointSliceTerminatingCondition EphemeralContainers
  ExperimentalHostUserNamespaceDefaulting GenericEphemeralVolume GracefulNodeShutdown HPAContainerMetrics HPAScaleToZero
  HyperVContainer IPv6DualStack KubeletCredentialProviders LocalStorageCapacityIsolationFSQuotaMonitoring MixedProtocolLBService
  ProcMountType QOSReserved ServiceLBNodePortControl ServiceTopology SizeMemoryBackedVolumes StorageVersionAPI TTLAfterFinished
  WinDSR WindowsEndpointSliceProxying
`);
const GROUPS = new Set(['AllAlpha', 'AllBeta']);

/** Throws FlagError for gates nobody knows, in the words of the real server, and for those that would change what is emulated. */
export function checkFeatureGates(text: string): void {
  const wrong = (why: string): FlagError => new FlagError(`invalid argument ${JSON.stringify(text)} for "--feature-gates" flag: ${why}`);
  for (const part of text.split(',')) {
    if (part === '') continue;
    const [name = '', value] = part.split('=').map((each) => each.trim());
    if (value === undefined) throw wrong(`missing bool value for ${name}`);
    if (!/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value))
      throw wrong(`invalid value of ${name}=${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
    const isOn = /^(1|t|true)$/i.test(value);
    if (LOCKED_ON.has(name)) {
      if (!isOn) throw wrong(`cannot set feature gate ${name} to false, feature is locked to true`);
    } else if (ON.has(name)) {
      if (!isOn) throw new FlagError(`not emulated: feature gate ${name}=false`);
    } else if (OFF.has(name) || GROUPS.has(name)) {
      if (isOn) throw new FlagError(`not emulated: feature gate ${name}=true`);
    } else throw wrong(`unrecognized feature gate: ${name}`);
  }
}
