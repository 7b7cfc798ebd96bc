// The page that a server shows at / while no module has that path: what this is, what is live, and the line that
// deploys the next module. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mgnt/module_summary.h"

namespace cweb::mgnt {

struct WelcomeFacts {
  std::string version;  ///< of cweb
  std::string url;      ///< of this server, as whoever asks has reached it: "http://localhost:8080"
  bool asks_key = false;
  /// May whoever asks see them? Otherwise the page does not say what is live.
  bool shows_modules = false;
  std::vector<ModuleSummary> modules;
};

/// HTML of its own: it loads nothing and runs nothing. Whatever comes from modules or the request is escaped.
std::string welcome_page(const WelcomeFacts& facts);

/// The value of Content-Security-Policy that the page is to be sent with.
inline constexpr std::string_view welcome_page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Text to HTML, for content and for attributes in double quotes.
std::string escape_html(std::string_view text);

}  // namespace cweb::mgnt
