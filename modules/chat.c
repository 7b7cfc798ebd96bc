/* A chat with rooms: open /chat?room=tea in two browsers. The module keeps no list of who is there. Sockets outlive
   versions of a module and its variables do not, so all it has to know is asked of the sockets themselves. */
#include <cweb.h>

enum { longest_name = 60, longest_text = 2000 };

/* ------------------------------------------------------------------------------------------------------------- page */

static const char page[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>Chat</title>\n"
    "<meta name=viewport content='width=device-width'>\n"
    "<style>\n"
    ":root { color-scheme: light dark; --back: #eef0f3; --card: #fff; --text: #1c2430; --soft: #687385;\n"
    "  --edge: #d9dee5; --mine: #2563eb; --mine-text: #fff; --theirs: #eef1f5; --light: 38%; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --back: #0f1216; --card: #171c22; --text: #e6ebf2; --soft: #8c98a9; --edge: #2a323c;\n"
    "    --mine: #3b74f0; --theirs: #232b35; --light: 72%; }\n"
    "}\n"
    "* { box-sizing: border-box; }\n"
    "body { margin: 0; height: 100vh; height: 100dvh; display: flex; justify-content: center;\n"
    "  background: var(--back); color: var(--text); font: 16px/1.45 system-ui, sans-serif; }\n"
    "main { width: 100%; max-width: 44rem; display: flex; flex-direction: column; background: var(--card);\n"
    "  border-inline: 1px solid var(--edge); }\n"
    "header { display: flex; align-items: baseline; gap: .8rem; padding: .9rem 1.2rem;\n"
    "  border-bottom: 1px solid var(--edge); }\n"
    "h1 { margin: 0; font-size: 1.15rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }\n"
    "#here { margin-left: auto; white-space: nowrap; color: var(--soft); font-size: .9rem; }\n"
    "#here::before { content: ''; display: inline-block; width: 10px; height: 10px; margin-right: 7px;\n"
    "  border-radius: 50%; background: #e0a030; }\n"
    ".live #here::before { background: #2fb36d; }\n"
    "#said { flex: 1; overflow-y: auto; margin: 0; padding: 1.2rem; display: flex; flex-direction: column;\n"
    "  gap: .35rem; }\n"
    "#said > :first-child { margin-top: auto; }\n"
    "#said p { margin: 0; max-width: 80%; align-self: flex-start; padding: .45rem .8rem; border-radius: 1rem;\n"
    "  border-bottom-left-radius: .25rem; background: var(--theirs); white-space: pre-wrap;\n"
    "  overflow-wrap: anywhere; }\n"
    "#said p.mine { align-self: flex-end; border-radius: 1rem; border-bottom-right-radius: .25rem;\n"
    "  background: var(--mine); color: var(--mine-text); }\n"
    "#said p.note { align-self: center; padding: .2rem; background: none; color: var(--soft); font-size: .85rem;\n"
    "  text-align: center; }\n"
    "#said b { display: block; font-size: .8rem; }\n"
    "#said p.again { border-top-left-radius: .25rem; }\n"
    "#said p.again b { display: none; }\n"
    "form { display: flex; gap: .6rem; padding: .9rem 1.2rem; border-top: 1px solid var(--edge); }\n"
    "input { flex: 1; min-width: 0; padding: .6rem .9rem; font: inherit; color: inherit; background: var(--back);\n"
    "  border: 1px solid var(--edge); border-radius: 1.5rem; }\n"
    "input:focus { outline: 2px solid var(--mine); outline-offset: -1px; }\n"
    "button { padding: .6rem 1.2rem; font: inherit; font-weight: 600; color: var(--mine-text);\n"
    "  background: var(--mine); border: 0; border-radius: 1.5rem; cursor: pointer; }\n"
    "button:disabled { opacity: .45; cursor: default; }\n"
    "[hidden] { display: none !important; }\n"
    "</style>\n"
    "<main>\n"
    "<header><h1 id=title></h1><span id=here>not connected</span></header>\n"
    "<div id=said role=log></div>\n"
    "<form id=entrance><input id=name placeholder='Your name' maxlength=20 autocomplete=nickname required>\n"
    "  <button>Join</button></form>\n"
    "<form id=composer hidden><input id=text placeholder='Say something' maxlength=500 autocomplete=off required>\n"
    "  <button id=send>Send</button></form>\n"
    "</main>\n"
    "<script>\n"
    "const $ = id => document.getElementById(id);\n"
    "const room = new URLSearchParams(location.search).get('room') || 'lobby';\n"
    "document.title = room + ' - chat';\n"
    "$('title').textContent = room;\n"
    "let socket, me, opens = 0, last_speaker;\n"
    /* What people wrote becomes text and never markup: textContent, not innerHTML. */
    "function show(kind, who, text) {\n"
    "  const said = $('said'), at_end = said.scrollTop + said.clientHeight > said.scrollHeight - 40;\n"
    "  const line = document.createElement('p');\n"
    "  line.className = kind;\n"
    "  if (kind === 'theirs') {\n"
    "    const name = document.createElement('b');\n"
    "    let hue = 0;\n"
    "    for (const c of who) hue = (hue * 31 + c.codePointAt(0)) % 360;\n"
    "    name.textContent = who;\n"
    "    name.style.color = 'hsl(' + hue + ' 65% var(--light))';\n"
    "    line.append(name);\n"
    "    if (last_speaker === who) line.classList.add('again');\n"
    "  }\n"
    "  last_speaker = kind === 'theirs' ? who : undefined;\n"
    "  line.append(text);\n"
    "  said.append(line);\n"
    "  if (said.childElementCount > 500) said.firstChild.remove();\n"
    "  if (at_end || kind === 'mine') said.scrollTop = said.scrollHeight;\n"
    "}\n"
    "function live(is) {\n"
    "  document.body.classList.toggle('live', is);\n"
    "  $('send').disabled = !is;\n"
    "  if (!is) $('here').textContent = 'connecting';\n"
    "}\n"
    "const show_event = {\n"
    "  said: event => show(event.mine ? 'mine' : 'theirs', event.name, event.text),\n"
    "  joined: event => show('note', '', event.mine ? 'You are in.' : event.name + ' came in.'),\n"
    "  left: event => show('note', '', event.name + ' left.'),\n"
    "};\n"
    "function connect() {\n"
    /* ws: where the page came by http:, wss: where it came by https:, and the name and port that it came from. */
    "  const url = new URL(location.pathname, location.href);\n"
    "  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';\n"
    "  url.search = new URLSearchParams({room, name: me});\n"
    "  socket = new WebSocket(url);\n"
    "  socket.onopen = () => { document.body.dataset.opens = ++opens; live(true); };\n"
    "  socket.onmessage = message => {\n"
    "    const event = JSON.parse(message.data);\n"
    "    if (event.here) $('here').textContent = event.here === 1 ? '1 person here' : event.here + ' people here';\n"
    "    show_event[event.what](event);\n"
    "  };\n"
    "  socket.onclose = event => {\n"
    "    live(false);\n"
    "    if (event.code !== 1008) { setTimeout(connect, 1000); return; }\n"
    "    enter(false);\n"
    "    show('note', '', 'Sorry, ' + event.reason + '.');\n"
    "  };\n"
    "}\n"
    "function enter(is) {\n"
    "  $('entrance').hidden = is;\n"
    "  $('composer').hidden = !is;\n"
    "  $(is ? 'text' : 'name').focus();\n"
    "}\n"
    "$('entrance').onsubmit = event => {\n"
    "  event.preventDefault();\n"
    "  me = $('name').value.trim();\n"
    "  if (me === '') return;\n"
    "  try { localStorage.chat_name = me; } catch { /* then it has to be typed again */ }\n"
    "  enter(true);\n"
    "  connect();\n"
    "};\n"
    "$('composer').onsubmit = event => {\n"
    "  event.preventDefault();\n"
    "  const text = $('text').value;\n"
    "  if (text.trim() === '' || socket.readyState !== 1) return;\n"
    "  socket.send(text);\n"
    "  $('text').value = '';\n"
    "};\n"
    "try { $('name').value = localStorage.chat_name || ''; } catch { /* cookies are off */ }\n"
    "show('note', '', 'Whoever opens the address of this page is in the same room.');\n"
    "enter(false);\n"
    "</script>\n";

static int show_page(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = (char *)page;
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- people */

/* Taken by whoever tells a room something: everybody in it sees the same things in the same order. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static const char *room_of(struct websocket *ws) {
    const char *room = cweb_ws_param(ws, "room");
    return room == NULL || *room == '\0' ? "lobby" : room;
}

static const char *name_of(struct websocket *ws) {
    const char *name = cweb_ws_param(ws, "name");
    return name == NULL ? "" : name;
}

/* Says nothing of the socket but what it was opened with, so each version of this module comes to the same answer. */
static const char *reason_to_refuse(struct websocket *ws) {
    const char *name = name_of(ws);
    if (*name == '\0') return "a name is missing";
    if (strlen(name) > longest_name) return "this name is too long";
    json_t *text = json_string(name);
    json_decref(text);
    return text == NULL ? "this name is not UTF-8" : NULL;
}

static struct websocket *next_in_room(const char *room, struct websocket *previous) {
    struct websocket *ws = previous;
    do ws = cweb_ws_next("/chat", ws);
    while (ws != NULL && strcmp(room_of(ws), room) != 0);
    return ws;
}

/* The number of people in a room, without the one who leaves it. */
static int count_people(const char *room, struct websocket *leaving) {
    int count = 0;
    for (struct websocket *ws = next_in_room(room, NULL); ws != NULL; ws = next_in_room(room, ws)) {
        if (ws != leaving && reason_to_refuse(ws) == NULL) ++count;
    }
    return count;
}

/* Tells the room of the one whom the event is about, who is told with "mine" in it. With `order` locked. */
static void tell_room(struct websocket *who, json_t *event) {
    const char *room = room_of(who);
    json_object_set_new(event, "name", json_string(name_of(who)));
    char *text = json_dumps(event, JSON_COMPACT);
    json_object_set_new(event, "mine", json_true());
    char *to_self = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    if (text != NULL && to_self != NULL) {
        const size_t length = strlen(text);
        for (struct websocket *ws = next_in_room(room, NULL); ws != NULL; ws = next_in_room(room, ws)) {
            if (ws != who) ws->send(ws, text, length);
        }
        who->send(who, to_self, strlen(to_self));
    }
    free(text);
    free(to_self);
}

static void on_open(struct websocket *ws) {
    const char *reason = reason_to_refuse(ws);
    if (reason != NULL) {
        cweb_ws_close(ws, 1008, reason);
        return;
    }
    pthread_mutex_lock(&order);
    tell_room(ws, json_pack("{s:s, s:i}", "what", "joined", "here", count_people(room_of(ws), NULL)));
    pthread_mutex_unlock(&order);
}

static void on_message(struct websocket *ws, const char *message, size_t length) {
    if (reason_to_refuse(ws) != NULL) return;
    if (cweb_ws_is_binary(ws) || length > longest_text) {
        cweb_ws_close(ws, 1008, "this is too long for a chat");
        return;
    }
    pthread_mutex_lock(&order);
    tell_room(ws, json_pack("{s:s, s:s%}", "what", "said", "text", message, length));
    pthread_mutex_unlock(&order);
}

static void on_close(struct websocket *ws) {
    if (reason_to_refuse(ws) != NULL) return;
    pthread_mutex_lock(&order);
    tell_room(ws, json_pack("{s:s, s:i}", "what", "left", "here", count_people(room_of(ws), ws)));
    pthread_mutex_unlock(&order);
}

export module_t config = {
    .name = "chat",
    .author = "cweb",
    .routes = {{"/chat", "GET", show_page, NONE}},
    .size = 1,
    .websockets = {{"/chat", on_open, on_message, on_close}},
    .ws_size = 1,
};
