#include "http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <string_view>

namespace cweb::e2e {
namespace {

size_t take_body(char* data, size_t size, size_t count, void* response) {
  static_cast<HttpResponse*>(response)->body.append(data, size * count);
  return size * count;
}

size_t take_header(char* data, size_t size, size_t count, void* response) {
  const std::string_view line(data, size * count);
  auto& headers = static_cast<HttpResponse*>(response)->headers;
  // An interim response (100) comes before the final one; its headers are not the answer's.
  if (line.starts_with("HTTP/")) headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const size_t begin = std::min(line.find_first_not_of(' ', colon + 1), line.size());
  const size_t end = std::min(line.find_first_of("\r\n", begin), line.size());
  headers.emplace_back(std::move(name), line.substr(begin, end - begin));
  return line.size();
}

void set_up_library() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

struct HttpClient::Curl {
  CURL* handle = curl_easy_init();
  ~Curl() { curl_easy_cleanup(handle); }
};

HttpClient::HttpClient(uint16_t port, const std::string& scheme)
    : curl_((set_up_library(), std::make_unique<Curl>())), origin_(scheme + "://localhost:" + std::to_string(port)) {}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::get(const std::string& path, const Headers& headers) {
  return send("GET", path, {}, headers);
}

HttpResponse HttpClient::post(const std::string& path, const std::string& body, const Headers& headers) {
  return send("POST", path, body, headers);
}

HttpResponse HttpClient::send(const std::string& method, const std::string& path, const std::string& body,
                              const Headers& headers) {
  HttpResponse response;
  CURL* curl = curl_->handle;
  curl_easy_reset(curl);
  const std::string url = origin_ + path;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(time_.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &response);
  if (method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (!body.empty() || method == "POST" || method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  if (method != "HEAD") curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());

  curl_slist* lines = nullptr;
  // Not the default that curl gives to bodies: what is posted here is C, or bytes.
  bool has_type = false;
  for (const auto& [name, value] : headers) {
    has_type |= name == "Content-Type";
    lines = curl_slist_append(lines, (name + ": " + value).c_str());
  }
  if (!has_type) lines = curl_slist_append(lines, "Content-Type:");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);

  const auto began = std::chrono::steady_clock::now();
  const CURLcode result = curl_easy_perform(curl);
  response.elapsed_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  long connections = 0;
  curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
  response.new_connection = connections > 0;
  if (result == CURLE_OK) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
  } else {
    response.error = curl_easy_strerror(result);
  }
  curl_slist_free_all(lines);
  return response;
}

std::string HttpResponse::header(const std::string& name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& entry) { return entry.first == name; });
  return found == headers.end() ? std::string() : found->second;
}

}  // namespace cweb::e2e
