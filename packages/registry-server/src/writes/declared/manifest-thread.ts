// The thread of a ThreadedReader: a text comes, what it says goes back.
import { parentPort } from 'node:worker_threads';
import { portableOf, readManifests } from '@rollcall/manifests';

parentPort?.on('message', (text: string) => {
  parentPort?.postMessage(portableOf(readManifests(text)));
});
