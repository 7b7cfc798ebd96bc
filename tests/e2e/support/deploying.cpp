#include "deploying.h"

#include <cctype>

namespace cweb::e2e {

using nlohmann::json;

std::string DeployAnswer::outcome() const {
  return report.value("status", "");
}
std::string DeployAnswer::stage() const {
  return report.value("stage", "");
}
std::string DeployAnswer::error() const {
  return report.value("error", "");
}

unsigned DeployAnswer::version() const {
  return report.contains("module") ? report["module"].value("version", 0U) : 0U;
}

std::string DeployAnswer::all_sentences() const {
  std::string sentences = error() + "\n";
  for (const json& diagnostic : report.value("diagnostics", json::array())) {
    sentences += diagnostic.value("severity", "") + ": " + diagnostic.value("message", "") + "\n";
  }
  for (const json& notice : report.value("notices", json::array())) sentences += notice.get<std::string>() + "\n";
  return sentences;
}

std::ostream& operator<<(std::ostream& out, const DeployAnswer& answer) {
  return out << "the deploy's answer was " << answer.status << ": " << answer.text.substr(0, 4000);
}

DeployAnswer deploy(HttpClient& client, const std::string& source, const std::string& query) {
  const HttpResponse response =
      client.post("/mgnt" + query, source, {{"Accept", "application/json"}, {"Content-Type", "text/x-c"}});
  DeployAnswer answer;
  answer.status = response.status;
  answer.elapsed_ms = response.elapsed_ms;
  answer.text = response.status == 0 ? response.error : response.body;
  answer.report = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (!answer.report.is_object()) answer.report = json::object();
  return answer;
}

DeployAnswer deploy(uint16_t port, const std::string& source, const std::string& query) {
  HttpClient client(port);
  return deploy(client, source, query);
}

json module_status(HttpClient& client, const std::string& name) {
  const HttpResponse response = client.get("/mgnt/modules/" + name);
  if (response.status != 200) return nullptr;
  return json::parse(response.body, nullptr, /*allow_exceptions=*/false);
}

long draining_versions(HttpClient& client, const std::string& name) {
  const json status = module_status(client, name);
  return status.is_object() ? status.value("draining", -1L) : -1;
}

std::string fill_in(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [name, value] : values) {
    const std::string mark = "@" + name + "@";
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

std::string answering_module(const std::string& name, const std::string& path, const std::string& text) {
  return fill_in(R"(#include <cweb.h>

static int answer(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "%s", "@TEXT@");
    return 0;
}

export module_t config = {
    .name = "@NAME@",
    .author = "the tests",
    .routes = {{"@PATH@", "GET", answer, NONE}},
    .size = 1,
};
)",
                 {{"NAME", name}, {"PATH", path}, {"TEXT", text}});
}

std::string counting_module(const std::string& name, const std::string& path) {
  return fill_in(R"(#include <cweb.h>
#include <stdatomic.h>

static atomic_int calls;

static int count(struct http_request *req, struct http_response *res) {
    snprintf(res->body, HTTP_RESPONSE_SIZE, "count %d", atomic_fetch_add(&calls, 1) + 1);
    return 0;
}

export module_t config = {
    .name = "@NAME@",
    .author = "the tests",
    .routes = {{"@PATH@", "GET", count, NONE}},
    .size = 1,
};
)",
                 {{"NAME", name}, {"PATH", path}});
}

std::string loading_module(const std::string& name, const std::string& statements) {
  return fill_in(R"(#include <cweb.h>
#include <stdlib.h>
static void load(void) { printf("loading @NAME@\n"); @STATEMENTS@ }
static int show(struct http_request *req, struct http_response *res) { (void)req; (void)res; return 0; }
export module_t config = {
    .name = "@NAME@", .author = "t", .routes = {{"/@NAME@", "GET", show, NONE}}, .size = 1, .onload = load};
)",
                 {{"NAME", name}, {"STATEMENTS", statements}});
}

long last_number(const std::string& text) {
  size_t end = text.size();
  while (end > 0 && std::isdigit(static_cast<unsigned char>(text[end - 1])) == 0) --end;
  size_t begin = end;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(text[begin - 1])) != 0) --begin;
  return begin == end ? -1 : std::stol(text.substr(begin, end - begin));
}

}  // namespace cweb::e2e
