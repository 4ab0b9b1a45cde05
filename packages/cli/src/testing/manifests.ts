/** Manifests as tutorials of Kubernetes Services have them. */

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
