#include "mgnt/welcome_page.h"

#include <fmt/format.h>

#include "runtime/route_table.h"

namespace cweb::mgnt {
namespace {

constexpr std::string_view head = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>cweb</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
code, pre { font: 14px/1.5 ui-monospace, monospace; }
pre { border: 1px solid #8886; border-radius: 6px; padding: .7rem 1rem; overflow-x: auto; }
.copy { user-select: all; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid #8884; }
td.routes { line-height: 1.7; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 6rem; opacity: .7; }
.quarantined { color: #c33; }
footer { margin-top: 2.5rem; opacity: .7; font-size: .9rem; }
</style>
</head>
<body>
)";

constexpr std::string_view first_module = R"(#include &lt;cweb.h&gt;

static int hello(struct http_request *req, struct http_response *res) {
    snprintf(res-&gt;body, HTTP_RESPONSE_SIZE, "Hello from %s\n", req-&gt;path);
    return 0;
}

export module_t config = {
    .name = "hello",
    .author = "you",
    .routes = {{"/hello", "GET", hello, NONE}},
    .size = 1,
};
)";

std::string route_row(const std::string& method, const std::string& path) {
  const std::string shown = escape_html(path);
  // A browser asks with GET, and nobody can follow a pattern.
  const bool is_link = method == "GET" && !runtime::is_pattern(path);
  const std::string place =
      is_link ? fmt::format(R"(<a href="{0}"><code>{0}</code></a>)", shown) : fmt::format("<code>{}</code>", shown);
  return fmt::format("<span class=\"method\">{}</span>{}<br>\n", escape_html(method), place);
}

std::string module_row(const ModuleSummary& module) {
  std::string routes;
  for (const auto& [method, path] : module.routes) routes += route_row(method, path);
  for (const std::string& path : module.websockets) routes += route_row("WebSocket", path);
  const std::string state = module.state == "live"
                                ? std::string()
                                : fmt::format("<br><span class=\"{0}\">{0}</span>", escape_html(module.state));
  return fmt::format("<tr><td>{}{}</td><td>{}</td><td class=\"routes\">{}</td></tr>\n", escape_html(module.name), state,
                     module.version, routes);
}

std::string modules_section(const WelcomeFacts& facts) {
  if (facts.modules.empty()) return "<h2>Live</h2>\n<p>No module yet.</p>\n";
  std::string rows;
  for (const ModuleSummary& module : facts.modules) rows += module_row(module);
  return "<h2>Live</h2>\n<table>\n<tr><th>module</th><th>version</th><th>routes</th></tr>\n" + rows + "</table>\n";
}

std::string deploy_section(const WelcomeFacts& facts) {
  const std::string url = escape_html(facts.url);
  const std::string key = facts.asks_key ? "-H \"Authorization: Bearer $CWEB_ADMIN_KEY\" " : "";
  return fmt::format(R"(<h2>Deploy</h2>
<p>A module is one C file. Save this as <code>hello.c</code>:</p>
<pre class="copy">{}</pre>
<p>Either of these makes it live, and its next version after it:</p>
<pre><span class="copy">cweb deploy --server {} hello.c</span>
<span class="copy">curl {}--data-binary @hello.c {}/mgnt</span></pre>
)",
                     first_module, url, key, url);
}

}  // namespace

std::string welcome_page(const WelcomeFacts& facts) {
  std::string page(head);
  page +=
      "<h1>cweb</h1>\n<p>A web server with a C compiler inside. It is running, and no module has the path "
      "<code>/</code>.</p>\n";
  if (facts.shows_modules) page += modules_section(facts);
  page += deploy_section(facts);
  page += fmt::format("<footer>cweb {}</footer>\n</body>\n</html>\n", escape_html(facts.version));
  return page;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace cweb::mgnt
