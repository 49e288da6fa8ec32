// JSON paths; the columns of custom resources use them too.
export * from '../../../kube/machinery/json-path.ts';
