// Made by `npm run generate`. Do not edit.
import { lambda as actionnerAwsLambda } from '../../actionners/aws/lambda.ts';
import { networkpolicy as actionnerCalicoNetworkpolicy } from '../../actionners/calico/networkpolicy.ts';
import { networkpolicy as actionnerCiliumNetworkpolicy } from '../../actionners/cilium/networkpolicy.ts';
import { cloudFunction as actionnerGcpFunction } from '../../actionners/gcp/function.ts';
import { annotation as actionnerKubernetesAnnotation } from '../../actionners/kubernetes/annotation.ts';
import { cordon as actionnerKubernetesCordon } from '../../actionners/kubernetes/cordon.ts';
import { deleteObject as actionnerKubernetesDelete } from '../../actionners/kubernetes/delete.ts';
import { download as actionnerKubernetesDownload } from '../../actionners/kubernetes/download.ts';
import { drain as actionnerKubernetesDrain } from '../../actionners/kubernetes/drain.ts';
import { exec as actionnerKubernetesExec } from '../../actionners/kubernetes/exec.ts';
import { label as actionnerKubernetesLabel } from '../../actionners/kubernetes/label.ts';
import { log as actionnerKubernetesLog } from '../../actionners/kubernetes/log.ts';
import { networkpolicy as actionnerKubernetesNetworkpolicy } from '../../actionners/kubernetes/networkpolicy.ts';
import { script as actionnerKubernetesScript } from '../../actionners/kubernetes/script.ts';
import { sysdig as actionnerKubernetesSysdig } from '../../actionners/kubernetes/sysdig.ts';
import { tcpdump as actionnerKubernetesTcpdump } from '../../actionners/kubernetes/tcpdump.ts';
import { terminate as actionnerKubernetesTerminate } from '../../actionners/kubernetes/terminate.ts';
import { call as actionnerWebhookCall } from '../../actionners/webhook/call.ts';
import { s3 as outputAwsS3 } from '../../outputs/aws/s3.ts';
import { gcs as outputGcpGcs } from '../../outputs/gcp/gcs.ts';
import { file as outputLocalFile } from '../../outputs/local/file.ts';
import { s3 as outputMinioS3 } from '../../outputs/minio/s3.ts';
import { elasticsearch as notifierElasticsearch } from '../../notifiers/elasticsearch.ts';
import { k8sevents as notifierK8sevents } from '../../notifiers/k8sevents.ts';
import { loki as notifierLoki } from '../../notifiers/loki.ts';
import { slack as notifierSlack } from '../../notifiers/slack.ts';
import { smtp as notifierSmtp } from '../../notifiers/smtp.ts';
import { webhook as notifierWebhook } from '../../notifiers/webhook.ts';
import type { Actionner, Notifier, Output } from '../../model/definition.ts';

export const actionners: readonly Actionner[] = [
  actionnerAwsLambda,
  actionnerCalicoNetworkpolicy,
  actionnerCiliumNetworkpolicy,
  actionnerGcpFunction,
  actionnerKubernetesAnnotation,
  actionnerKubernetesCordon,
  actionnerKubernetesDelete,
  actionnerKubernetesDownload,
  actionnerKubernetesDrain,
  actionnerKubernetesExec,
  actionnerKubernetesLabel,
  actionnerKubernetesLog,
  actionnerKubernetesNetworkpolicy,
  actionnerKubernetesScript,
  actionnerKubernetesSysdig,
  actionnerKubernetesTcpdump,
  actionnerKubernetesTerminate,
  actionnerWebhookCall,
];

export const outputs: readonly Output[] = [
  outputAwsS3,
  outputGcpGcs,
  outputLocalFile,
  outputMinioS3,
];

export const notifiers: readonly Notifier[] = [
  notifierElasticsearch,
  notifierK8sevents,
  notifierLoki,
  notifierSlack,
  notifierSmtp,
  notifierWebhook,
];
