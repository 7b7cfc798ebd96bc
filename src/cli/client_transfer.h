// What every transfer to a server needs of libcurl, whoever drives it.
#pragma once

#include "cli/client.h"
#include "cli/curl_library.h"

namespace cweb::cli {

/// Protocol, proxy and certificates; not the URL, and not the key. What it names outlives the transfer.
void set_address(const CurlLibrary& curl, CURL* transfer, const ServerAddress& address);

/// Header lines of a request; freed with the object.
class HeaderLines {
 public:
  explicit HeaderLines(const CurlLibrary& curl) : curl_(curl) {}
  ~HeaderLines() { curl_.slist_free_all(lines_); }
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;

  void add(const std::string& line) {
    if (curl_slist* const longer = curl_.slist_append(lines_, line.c_str())) lines_ = longer;
  }
  curl_slist* get() const { return lines_; }

 private:
  const CurlLibrary& curl_;
  curl_slist* lines_ = nullptr;
};

}  // namespace cweb::cli
