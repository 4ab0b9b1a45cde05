// The worker of ThreadedReader: receives a text, answers with its content.
import { parentPort } from 'node:worker_threads';
import { portableOf, readManifests } from '@rollcall/manifests';

parentPort?.on('message', (text: string) => {
  parentPort?.postMessage(portableOf(readManifests(text)));
});
