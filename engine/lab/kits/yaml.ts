// Small shapes that many of the kits' manifests have.

export function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

/** A Deployment of three. */
export function deploymentOfThree(options: {
  readonly name: string;
  readonly app: string;
  readonly container: string;
  readonly image: string;
}): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${options.name}
  labels:
    app: ${options.app}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: ${options.app}
  template:
    metadata:
      labels:
        app: ${options.app}
    spec:
      containers:
      - name: ${options.container}
        image: ${options.image}
`;
}
