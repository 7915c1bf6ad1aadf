import { lambda } from '../actionners/aws/lambda.ts';
import { networkpolicy as calicoNetworkpolicy } from '../actionners/calico/networkpolicy.ts';
import { networkpolicy as ciliumNetworkpolicy } from '../actionners/cilium/networkpolicy.ts';
import { cloudFunction } from '../actionners/gcp/function.ts';
import { annotation } from '../actionners/kubernetes/annotation.ts';
import { cordon } from '../actionners/kubernetes/cordon.ts';
import { deleteObject } from '../actionners/kubernetes/delete.ts';
import { download } from '../actionners/kubernetes/download.ts';
import { drain } from '../actionners/kubernetes/drain.ts';
import { exec } from '../actionners/kubernetes/exec.ts';
import { label } from '../actionners/kubernetes/label.ts';
import { log } from '../actionners/kubernetes/log.ts';
import { networkpolicy } from '../actionners/kubernetes/networkpolicy.ts';
import { script } from '../actionners/kubernetes/script.ts';
import { sysdig } from '../actionners/kubernetes/sysdig.ts';
import { tcpdump } from '../actionners/kubernetes/tcpdump.ts';
import { terminate } from '../actionners/kubernetes/terminate.ts';
import type { Actionner, Catalog, Notifier, Output } from '../model/definition.ts';
import { elasticsearch } from '../notifiers/elasticsearch.ts';
import { k8sevents } from '../notifiers/k8sevents.ts';
import { loki } from '../notifiers/loki.ts';
import { slack } from '../notifiers/slack.ts';
import { smtp } from '../notifiers/smtp.ts';
import { webhook } from '../notifiers/webhook.ts';
import { s3 as awsS3 } from '../outputs/aws/s3.ts';
import { gcs } from '../outputs/gcp/gcs.ts';
import { file } from '../outputs/local/file.ts';
import { s3 as minioS3 } from '../outputs/minio/s3.ts';

const ACTIONNERS: readonly Actionner[] = [
  terminate,
  label,
  annotation,
  networkpolicy,
  exec,
  script,
  log,
  deleteObject,
  cordon,
  drain,
  download,
  tcpdump,
  sysdig,
  lambda,
  cloudFunction,
  calicoNetworkpolicy,
  ciliumNetworkpolicy,
];
const OUTPUTS: readonly Output[] = [file, minioS3, awsS3, gcs];
const NOTIFIERS: readonly Notifier[] = [k8sevents, slack, smtp, webhook, loki, elasticsearch];

/** All plug-ins, in the order in which Falco Talon lists them. The only place that knows them. */
export const catalog: Catalog = {
  actionners: byId(ACTIONNERS),
  outputs: byId(OUTPUTS),
  notifiers: byId(NOTIFIERS),
};

function byId<P extends { readonly id: string }>(plugins: readonly P[]): ReadonlyMap<string, P> {
  return new Map(plugins.map((plugin) => [plugin.id, plugin]));
}
