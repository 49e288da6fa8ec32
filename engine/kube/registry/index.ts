// Every built-in kind. A new kind is a file in the folder of its group and a line here.

import { MUTATING_WEBHOOK_CONFIGURATION } from './admissionregistration/mutating-webhook-configuration.ts';
import { VALIDATING_WEBHOOK_CONFIGURATION } from './admissionregistration/validating-webhook-configuration.ts';
import { CUSTOM_RESOURCE_DEFINITION } from './apiextensions/custom-resource-definition.ts';
import { API_SERVICE } from './apiregistration/api-service.ts';
import { CONTROLLER_REVISION } from './apps/controller-revision.ts';
import { DAEMON_SET } from './apps/daemon-set.ts';
import { DEPLOYMENT } from './apps/deployment.ts';
import { REPLICA_SET } from './apps/replica-set.ts';
import { STATEFUL_SET } from './apps/stateful-set.ts';
import { TOKEN_REVIEW } from './authentication/token-review.ts';
import { LOCAL_SUBJECT_ACCESS_REVIEW } from './authorization/local-subject-access-review.ts';
import { SELF_SUBJECT_ACCESS_REVIEW } from './authorization/self-subject-access-review.ts';
import { SELF_SUBJECT_RULES_REVIEW } from './authorization/self-subject-rules-review.ts';
import { SUBJECT_ACCESS_REVIEW } from './authorization/subject-access-review.ts';
import { HORIZONTAL_POD_AUTOSCALER } from './autoscaling/horizontal-pod-autoscaler.ts';
import { CRON_JOB } from './batch/cron-job.ts';
import { JOB } from './batch/job.ts';
import { CERTIFICATE_SIGNING_REQUEST } from './certificates/certificate-signing-request.ts';
import { LEASE } from './coordination/lease.ts';
import { BINDING } from './core/binding.ts';
import { COMPONENT_STATUS } from './core/component-status.ts';
import { CONFIG_MAP } from './core/config-map.ts';
import { ENDPOINTS } from './core/endpoints.ts';
import { EVENT } from './core/event.ts';
import { LIMIT_RANGE } from './core/limit-range.ts';
import { NAMESPACE } from './core/namespace.ts';
import { NODE } from './core/node.ts';
import { PERSISTENT_VOLUME_CLAIM } from './core/persistent-volume-claim.ts';
import { PERSISTENT_VOLUME } from './core/persistent-volume.ts';
import { POD_TEMPLATE } from './core/pod-template.ts';
import { POD } from './core/pod.ts';
import { REPLICATION_CONTROLLER } from './core/replication-controller.ts';
import { RESOURCE_QUOTA } from './core/resource-quota.ts';
import { SECRET } from './core/secret.ts';
import { SERVICE_ACCOUNT } from './core/service-account.ts';
import { SERVICE } from './core/service.ts';
import type { ResourceDefinition } from './definition.ts';
import { FLOW_SCHEMA } from './flowcontrol/flow-schema.ts';
import { PRIORITY_LEVEL_CONFIGURATION } from './flowcontrol/priority-level-configuration.ts';
import { ENDPOINT_SLICE } from './discovery/endpoint-slice.ts';
import { INGRESS_CLASS } from './networking/ingress-class.ts';
import { INGRESS } from './networking/ingress.ts';
import { NETWORK_POLICY } from './networking/network-policy.ts';
import { RUNTIME_CLASS } from './node/runtime-class.ts';
import { POD_DISRUPTION_BUDGET } from './policy/pod-disruption-budget.ts';
import { POD_SECURITY_POLICY } from './policy/pod-security-policy.ts';
import { CLUSTER_ROLE_BINDING } from './rbac/cluster-role-binding.ts';
import { CLUSTER_ROLE } from './rbac/cluster-role.ts';
import { ROLE_BINDING } from './rbac/role-binding.ts';
import { ROLE } from './rbac/role.ts';
import { PRIORITY_CLASS } from './scheduling/priority-class.ts';
import { CSI_DRIVER } from './storage/csi-driver.ts';
import { CSI_NODE } from './storage/csi-node.ts';
import { STORAGE_CLASS } from './storage/storage-class.ts';
import { VOLUME_ATTACHMENT } from './storage/volume-attachment.ts';

export const BUILT_IN: readonly ResourceDefinition[] = [
  BINDING,
  COMPONENT_STATUS,
  CONFIG_MAP,
  ENDPOINTS,
  EVENT,
  LIMIT_RANGE,
  NAMESPACE,
  NODE,
  PERSISTENT_VOLUME_CLAIM,
  PERSISTENT_VOLUME,
  POD,
  POD_TEMPLATE,
  REPLICATION_CONTROLLER,
  RESOURCE_QUOTA,
  SECRET,
  SERVICE_ACCOUNT,
  SERVICE,
  CONTROLLER_REVISION,
  DAEMON_SET,
  DEPLOYMENT,
  REPLICA_SET,
  STATEFUL_SET,
  JOB,
  CRON_JOB,
  HORIZONTAL_POD_AUTOSCALER,
  LEASE,
  ENDPOINT_SLICE,
  INGRESS,
  INGRESS_CLASS,
  NETWORK_POLICY,
  POD_DISRUPTION_BUDGET,
  POD_SECURITY_POLICY,
  STORAGE_CLASS,
  CSI_NODE,
  CSI_DRIVER,
  VOLUME_ATTACHMENT,
  ROLE,
  ROLE_BINDING,
  CLUSTER_ROLE,
  CLUSTER_ROLE_BINDING,
  PRIORITY_CLASS,
  RUNTIME_CLASS,
  CERTIFICATE_SIGNING_REQUEST,
  MUTATING_WEBHOOK_CONFIGURATION,
  VALIDATING_WEBHOOK_CONFIGURATION,
  API_SERVICE,
  CUSTOM_RESOURCE_DEFINITION,
  FLOW_SCHEMA,
  PRIORITY_LEVEL_CONFIGURATION,
  TOKEN_REVIEW,
  LOCAL_SUBJECT_ACCESS_REVIEW,
  SELF_SUBJECT_ACCESS_REVIEW,
  SELF_SUBJECT_RULES_REVIEW,
  SUBJECT_ACCESS_REVIEW,
];
