#include "cli/new_module.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "base/unique_fd.h"
#include "cli/include_dir.h"
#include "cli/small_file.h"

namespace cweb::cli {
namespace {

// @NAME@ is the module's name.
constexpr std::string_view routes_template = R"(#include <cweb.h>

/* GET /@NAME@, GET /@NAME@?name=Ada */
static int greet(struct http_request *req, struct http_response *res) {
    const char *name = map_get(req->params, "name");

    printf("greeting %s\n", name ? name : "nobody in particular"); /* `cweb logs` shows it */
    map_insert(res->headers, "Content-Type", "text/plain; charset=utf-8");
    snprintf(res->body, HTTP_RESPONSE_SIZE, "Hello, %s\n", name ? name : "world");
    return 0;
}

export module_t config = {
    .name = "@NAME@",
    .author = "",
    .routes = {
        {"/@NAME@", "GET", greet, NONE},
    },
    .size = 1,
};
)";

constexpr std::string_view websocket_template = R"(#include <cweb.h>

static const char page[] =
    "<!doctype html><meta charset=utf-8><title>@NAME@</title>"
    "<input id=text placeholder='Say something' autofocus><pre id=log></pre>"
    "<script>"
    "const ws = new WebSocket(location.href.replace(/^http/, 'ws'));"
    "ws.onmessage = e => { log.textContent += e.data + '\\n'; };"
    "text.onchange = () => { ws.send(text.value); text.value = ''; };"
    "</script>";

/* GET /@NAME@ */
static int show_page(struct http_request *req, struct http_response *res) {
    (void)req;
    res->body = (char *)page;
    return 0;
}

/* A WebSocket's callbacks are called one after the other; those of different sockets at the same time. */
static void on_open(struct websocket *ws) {
    static const char hello[] = "hello";
    ws->send(ws, hello, sizeof hello - 1);
}

static void on_message(struct websocket *ws, const char *message, size_t length) {
    (void)ws;
    printf("%s\n", message); /* `cweb logs` shows it */
    cweb_ws_broadcast("/@NAME@", message, length);
}

static void on_close(struct websocket *ws) {
    (void)ws;
}

export module_t config = {
    .name = "@NAME@",
    .author = "",
    .routes = {
        {"/@NAME@", "GET", show_page, NONE},
    },
    .size = 1,
    .websockets = {
        {"/@NAME@", on_open, on_message, on_close},
    },
    .ws_size = 1,
};
)";

constexpr size_t longest_name = 127;

bool write_new_file(const std::string& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd) return false;
  while (!text.empty()) {
    const ssize_t count = ::write(fd.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int why = errno;
      ::unlink(path.c_str());
      errno = why;
      return false;
    }
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

/// What tells clangd here already how C is compiled; empty when nothing does.
std::string clangd_settings() {
  for (const char* name : {"compile_flags.txt", "compile_commands.json", ".clangd"}) {
    if (::access(name, F_OK) == 0) return name;
  }
  return {};
}

bool contains(const std::string& file, const std::string& text) {
  constexpr size_t most_bytes = size_t{4} << 20;
  const auto read = read_small_file(file, most_bytes, FileKind::regular);
  return read && read->find(text) != std::string::npos;
}

/// An editor that does not know cweb.h is a nuisance and no reason to fail: the module is there.
void set_up_clangd() {
  const std::string settings = clangd_settings();
  const auto headers = include_dir();
  if (!settings.empty() && (!headers || contains(settings, *headers))) return;
  if (!headers) return static_cast<void>(std::fprintf(stderr, "note: %s\n", headers.error().message.c_str()));
  if (!settings.empty()) {
    std::fprintf(stderr, "note: %s was left alone: clangd needs -I%s there to find cweb.h\n", settings.c_str(),
                 headers->c_str());
    return;
  }
  const std::string flags = "-xc\n-std=gnu17\n-Wall\n-Wextra\n-I" + *headers + "\n";
  if (!write_new_file("compile_flags.txt", flags)) {
    std::fprintf(stderr, "note: compile_flags.txt, which tells clangd where cweb.h is, could not be written: %s\n",
                 std::strerror(errno));
  } else {
    std::printf("compile_flags.txt tells clangd where cweb.h is\n");
  }
}

}  // namespace

std::string module_template(const NewModule& module) {
  constexpr std::string_view hole = "@NAME@";
  std::string text(module.websocket ? websocket_template : routes_template);
  for (size_t at = text.find(hole); at != std::string::npos; at = text.find(hole, at + module.name.size())) {
    text.replace(at, hole.size(), module.name);
  }
  return text;
}

Expected<void> check_module_name(const std::string& name) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  if (name.empty()) return fail("a module needs a name: cweb new NAME");
  if (name.size() > longest_name) return fail("a module's name has 127 characters at most");
  if (letters.find(name.front()) == std::string_view::npos ||
      name.find_first_not_of(std::string(letters) + "-_") != std::string::npos) {
    return fail("the name '" + name + "' will not do: letters, digits, - and _, beginning with a letter or digit");
  }
  if (name == "mgnt") return fail("the name 'mgnt' will not do: the path /mgnt is the server's own");
  return {};
}

int make_new_module(NewModule module) {
  if (module.name.ends_with(".c")) module.name.resize(module.name.size() - 2);
  if (const auto fine = check_module_name(module.name); !fine) {
    std::fprintf(stderr, "cweb: %s\n", fine.error().message.c_str());
    return 2;
  }
  const std::string file = module.name + ".c";
  if (!write_new_file(file, module_template(module))) {
    if (errno == EEXIST) {
      std::fprintf(stderr, "cweb: %s is there already and was left alone: choose another name\n", file.c_str());
    } else {
      std::fprintf(stderr, "cweb: %s could not be written: %s\n", file.c_str(), std::strerror(errno));
    }
    return 1;
  }
  std::printf("%s is a module with %s. Try it: cweb run %s\n", file.c_str(),
              module.websocket ? "a WebSocket and a page" : "a route", file.c_str());
  set_up_clangd();
  return 0;
}

}  // namespace cweb::cli
