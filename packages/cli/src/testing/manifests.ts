/** A service as in Kubernetes tutorials. */
export const NGINX = `apiVersion: v1
kind: Service
metadata:
  name: nginx
  labels:
    app: nginx
spec:
  selector:
    app: nginx
  ports:
    - port: 8080
      targetPort: 80
`;

/** A service with the given spec. */
export function serviceText(name: string, spec: object, metadata: object = {}): string {
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name, ...metadata }, spec };
  return `${JSON.stringify(manifest)}\n`;
}

/** A deployment of an app with three replicas. */
export const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello-world
spec:
  replicas: 3
  selector:
    matchLabels:
      run: hello
  template:
    metadata:
      labels:
        run: hello
    spec:
      containers:
        - name: hello-world
          image: hello-app:2.0
          ports:
            - containerPort: 8080
`;
