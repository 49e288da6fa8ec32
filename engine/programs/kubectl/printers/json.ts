// JSON as Go reads and writes it; the API server shares it.
export * from '../../../kube/machinery/go-values.ts';
