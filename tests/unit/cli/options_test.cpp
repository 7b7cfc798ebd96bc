#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace cweb::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// An environment variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

CommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"cweb", "serve"});
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

ServeOptions options_of(const CommandLine& line) {
  const auto* options = std::get_if<ServeOptions>(&line);
  EXPECT_NE(options, nullptr) << std::get_if<PrintAndExit>(&line)->text;
  return options == nullptr ? ServeOptions{} : *options;
}

TEST(AccessOptionsOfTheCommandLine, are_off_unless_somebody_says_so) {
  const ServeOptions options = options_of(parse({}));
  EXPECT_FALSE(options.production);
  EXPECT_EQ(options.admin_key_file, "");
  EXPECT_THAT(options.admin_hosts, IsEmpty());
}

TEST(AccessOptionsOfTheCommandLine, production_is_a_flag_or_a_variable_or_the_environment_s_name) {
  EXPECT_TRUE(options_of(parse({"--production"})).production);
  {
    const Variable flag("CWEB_PRODUCTION", "1");
    EXPECT_TRUE(options_of(parse({})).production);
  }
  const Variable environment("CWEB_ENV", "production");
  EXPECT_TRUE(options_of(parse({})).production);
}

TEST(AccessOptionsOfTheCommandLine, development_in_the_environment_does_not_undo_the_flag) {
  const Variable environment("CWEB_ENV", "development");
  EXPECT_FALSE(options_of(parse({})).production);
  EXPECT_TRUE(options_of(parse({"--production"})).production);
}

TEST(AccessOptionsOfTheCommandLine, an_environment_of_another_name_is_a_usage_error) {
  for (const char* name : {"prod", "Production", "PRODUCTION", "production ", "staging"}) {
    const Variable environment("CWEB_ENV", name);
    const CommandLine line = parse({});
    ASSERT_TRUE(std::holds_alternative<PrintAndExit>(line)) << name;
    EXPECT_EQ(std::get<PrintAndExit>(line).exit_code, 2);
    EXPECT_THAT(std::get<PrintAndExit>(line).text, HasSubstr("CWEB_ENV"));
  }
}

TEST(AccessOptionsOfTheCommandLine, admin_hosts_may_be_repeated_or_be_a_list) {
  EXPECT_THAT(options_of(parse({"--admin-host", "a", "--admin-host", "b,c"})).admin_hosts, ElementsAre("a", "b", "c"));
  const Variable list("CWEB_ADMIN_HOST", "a.example,[::2]");
  EXPECT_THAT(options_of(parse({})).admin_hosts, ElementsAre("a.example", "[::2]"));
  EXPECT_THAT(options_of(parse({"--admin-host", "b"})).admin_hosts, ElementsAre("b"));
}

TEST(AccessOptionsOfTheCommandLine, the_key_itself_is_no_option) {
  EXPECT_TRUE(std::holds_alternative<PrintAndExit>(parse({"--admin-key", "secret"})));
  EXPECT_EQ(options_of(parse({"--admin-key-file", "/run/secrets/key"})).admin_key_file, "/run/secrets/key");
}

TEST(SupervisorOption, is_off_by_flag_or_variable_alone) {
  EXPECT_FALSE(options_of(parse({})).no_supervisor);
  EXPECT_TRUE(options_of(parse({"--no-supervisor"})).no_supervisor);
  const Variable variable("CWEB_NO_SUPERVISOR", "1");
  EXPECT_TRUE(options_of(parse({})).no_supervisor);
}

TEST(TlsOptionsOfTheCommandLine, are_off_unless_somebody_says_so) {
  const ServeOptions options = options_of(parse({}));
  EXPECT_EQ(options.certificate, "");
  EXPECT_EQ(options.key, "");
  EXPECT_FALSE(options.plain_http);
  EXPECT_FALSE(options.redirect_http);
  EXPECT_FALSE(options.hsts_seconds);
}

TEST(TlsOptionsOfTheCommandLine, may_be_variables_of_the_environment) {
  const Variable certificate("CWEB_CERT", "a.crt"), key("CWEB_KEY", "a.key");
  const Variable redirect("CWEB_REDIRECT_HTTP", "80"), hsts("CWEB_HSTS", "31536000");
  const ServeOptions options = options_of(parse({}));
  EXPECT_EQ(options.certificate, "a.crt");
  EXPECT_EQ(options.key, "a.key");
  EXPECT_EQ(options.redirect_http, 80);
  EXPECT_EQ(options.hsts_seconds, 31'536'000U);
  const Variable plain("CWEB_PLAIN_HTTP", "1");
  EXPECT_TRUE(std::holds_alternative<PrintAndExit>(parse({}))) << "plain HTTP and a certificate exclude each other";
}

TEST(TlsOptionsOfTheCommandLine, half_a_pair_is_a_usage_error) {
  for (const auto& arguments : {std::vector<const char*>{"--cert", "a.crt"}, {"--key", "a.key"}}) {
    const CommandLine line = parse(arguments);
    ASSERT_TRUE(std::holds_alternative<PrintAndExit>(line));
    EXPECT_EQ(std::get<PrintAndExit>(line).exit_code, 2);
    EXPECT_THAT(std::get<PrintAndExit>(line).text, HasSubstr("--cert and --key belong together"));
  }
}

TEST(UrlOfAServer, has_the_scheme_that_the_port_speaks) {
  EXPECT_EQ(url_of("0.0.0.0", 443, /*https=*/true), "https://127.0.0.1:443");
  EXPECT_EQ(url_of("::", 8080), "http://localhost:8080");
  EXPECT_EQ(url_of("::1", 8080), "http://[::1]:8080");
}

TEST(ProductionOfTheCommandLine, listens_on_all_addresses_and_logs_json_unless_told_otherwise) {
  EXPECT_EQ(options_of(parse({})).host, "127.0.0.1");
  EXPECT_FALSE(options_of(parse({})).log_is_json);
  EXPECT_EQ(options_of(parse({"--production"})).host, all_addresses);
  EXPECT_TRUE(options_of(parse({"--production"})).log_is_json);
  EXPECT_EQ(options_of(parse({"--production", "--host", "127.0.0.1"})).host, "127.0.0.1");
  EXPECT_FALSE(options_of(parse({"--production", "--log-format", "text"})).log_is_json);
  EXPECT_TRUE(options_of(parse({"--log-format", "json"})).log_is_json);
  const Variable environment("CWEB_ENV", "production");
  const Variable host("CWEB_HOST", "192.0.2.1");
  EXPECT_EQ(options_of(parse({})).host, "192.0.2.1");
  const Variable format("CWEB_LOG_FORMAT", "text");
  EXPECT_FALSE(options_of(parse({})).log_is_json);
}

TEST(ProductionOfTheCommandLine, is_undone_by_the_flag_for_development_alone) {
  const Variable environment("CWEB_ENV", "production");
  const ServeOptions options = options_of(parse({"--development"}));
  EXPECT_FALSE(options.production);
  EXPECT_EQ(options.host, "127.0.0.1");
  EXPECT_FALSE(options.log_is_json);
  EXPECT_TRUE(std::holds_alternative<PrintAndExit>(parse({"--development", "--production"})));
}

TEST(ProductionOfTheCommandLine, trusts_no_gateway) {
  EXPECT_TRUE(options_of(parse({"--trust-gateway"})).trust_gateway);
  const Variable trust("CWEB_TRUST_GATEWAY", "1");
  EXPECT_TRUE(options_of(parse({})).trust_gateway);
  const CommandLine line = parse({"--production"});
  ASSERT_TRUE(std::holds_alternative<PrintAndExit>(line));
  EXPECT_EQ(std::get<PrintAndExit>(line).exit_code, 2);
  EXPECT_THAT(std::get<PrintAndExit>(line).text, HasSubstr("--trust-gateway is for development"));
}

TEST(KeyOptionsOfTheCommandLine, are_a_file_for_the_read_key_and_a_flag_to_make_one) {
  EXPECT_EQ(options_of(parse({"--read-key-file", "/run/secrets/read"})).read_key_file, "/run/secrets/read");
  EXPECT_TRUE(std::holds_alternative<PrintAndExit>(parse({"--read-key", "secret"})));
  EXPECT_FALSE(options_of(parse({})).make_key);
  const Variable make("CWEB_MAKE_KEY", "1");
  EXPECT_TRUE(options_of(parse({})).make_key);
}

TEST(HealthOptionsOfTheCommandLine, are_those_of_the_server_by_the_same_variables) {
  const Variable port("CWEB_PORT", "9000");
  const Variable host("CWEB_HOST", "*");
  const std::vector<const char*> arguments{"cweb", "health"};
  const CommandLine line = parse_command_line(2, arguments.data());
  const auto* health = std::get_if<HealthOptions>(&line);
  ASSERT_NE(health, nullptr);
  EXPECT_EQ(health->port, 9000);
  EXPECT_EQ(health->host, all_addresses);
}

TEST(SharedOptionsOfTheCommandLine, libraries_database_and_cache) {
  const ServeOptions none = options_of(parse({}));
  EXPECT_THAT(none.libraries, IsEmpty());
  EXPECT_EQ(none.database_file, "");
  EXPECT_EQ(none.cache_bytes, size_t{64} << 20);
  EXPECT_THAT(options_of(parse({"--link", "liba.so", "--link", "/lib/b.so"})).libraries,
              ElementsAre("liba.so", "/lib/b.so"));
  const Variable libraries("CWEB_LINK", "liba.so.1:/lib/b.so");
  const Variable database("CWEB_DATABASE", "shared.db");
  const Variable cache("CWEB_CACHE_MEMORY", "1000000");
  const ServeOptions options = options_of(parse({}));
  EXPECT_THAT(options.libraries, ElementsAre("liba.so.1", "/lib/b.so"));
  EXPECT_EQ(options.database_file, "shared.db");
  EXPECT_EQ(options.cache_bytes, 1'000'000U);
  for (const std::vector<const char*>& wrong :
       {std::vector{"--database", ""}, std::vector{"--cache-memory", "10"}, std::vector{"--cache-memory", "much"}}) {
    const CommandLine line = parse(wrong);
    const auto* const refused = std::get_if<PrintAndExit>(&line);
    ASSERT_NE(refused, nullptr) << wrong[0];
    EXPECT_EQ(refused->exit_code, 2);
    EXPECT_THAT(refused->text, HasSubstr(wrong[0]));
  }
}

}  // namespace
}  // namespace cweb::cli
