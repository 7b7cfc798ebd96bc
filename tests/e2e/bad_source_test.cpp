// Whatever is posted is answered soon and with a reason, and nobody else notices: after each source a module that was
// there before still counts on. tests/cases has the sources that can be written down; the others are made here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "case_file.h"
#include "deploying.h"
#include "pace.h"
#include "process_facts.h"
#include "server_process.h"

namespace cweb::e2e {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

/// An answer that takes longer than this is a failure of its own, whatever it says.
constexpr double longest_answer_ms = 12'000.0 * slowness;

class AnsweringAnything : public testing::Test {
 protected:
  explicit AnsweringAnything(Compiling compiling) : server_(options_for(compiling)), client_(server_.port()) {
    client_.set_time(std::chrono::milliseconds(static_cast<long>(longest_answer_ms) + 5'000));
    EXPECT_TRUE(deploy(client_, counting_module("canary", "/canary")).deployed());
  }
  /// Posts a source and holds the answer against what every answer must be.
  DeployAnswer post(const std::string& source) {
    DeployAnswer answer = deploy(client_, source);
    EXPECT_LT(answer.elapsed_ms, longest_answer_ms) << answer;
    EXPECT_THAT(answer.status, AnyOf(Eq(200), Eq(400), Eq(409), Eq(413), Eq(422))) << answer;
    if (answer.status != 200) {
      EXPECT_EQ(answer.outcome(), "failed") << answer;
      EXPECT_NE(answer.stage(), "") << answer;
      EXPECT_NE(answer.error(), "") << answer;
    }
    expect_canary_counts_on();
    return answer;
  }
  void expect_canary_counts_on() {
    const HttpResponse response = client_.get("/canary");
    EXPECT_EQ(response.status, 200) << response.error;
    EXPECT_EQ(response.body, "count " + std::to_string(++canary_calls_));
  }

  ServerProcess server_;
  HttpClient client_;
  int canary_calls_ = 0;
};

class BadSourceTest : public AnsweringAnything, public testing::WithParamInterface<Compiling> {
 protected:
  BadSourceTest() : AnsweringAnything(GetParam()) {}
};

/// Sources that reach a limit. What the kernel does to a helper then, nobody does to a thread of the server.
class LimitTest : public AnsweringAnything {
 protected:
  LimitTest() : AnsweringAnything(Compiling::in_helpers) {}
};

INSTANTIATE_TEST_SUITE_P(Each, BadSourceTest, testing::Values(Compiling::in_helpers, Compiling::in_process),
                         [](const auto& test) { return to_string(test.param); });

unsigned first_error_line(const DeployAnswer& answer) {
  for (const auto& diagnostic : answer.report.value("diagnostics", nlohmann::json::array())) {
    if (diagnostic.value("severity", "") == "error") return diagnostic.value("line", 0U);
  }
  return 0;
}

TEST_P(BadSourceTest, each_case_file_comes_to_what_its_comment_says) {
  const std::vector<CaseFile> files = read_case_files(project_file("tests/cases"));
  ASSERT_GT(files.size(), 50U);
  for (const CaseFile& file : files) {
    if (file.name.starts_with("limit_") && GetParam() == Compiling::in_process) continue;
    SCOPED_TRACE("tests/cases/" + file.name + ": " + file.sentence);
    EXPECT_EQ(file.fault, "");
    const DeployAnswer answer = post(file.source);
    EXPECT_EQ(answer.status, file.expected_status) << answer;
    if (!file.stage.empty()) {
      EXPECT_EQ(answer.stage(), file.stage) << answer;
    }
    for (const std::string& text : file.says) EXPECT_THAT(answer.all_sentences(), HasSubstr(text));
    if (file.line) {
      EXPECT_EQ(first_error_line(answer), *file.line) << answer;
    }
    for (const CaseFile::Get& get : file.gets) {
      const HttpResponse response = client_.get(get.path);
      EXPECT_EQ(response.status, get.status) << get.path << ": " << response.error << response.body;
      EXPECT_THAT(response.body, HasSubstr(get.text)) << get.path;
    }
  }
}

// ------------------------------------------------------------------------------------------------ sources made here

/// A module that answers 200 at /made with the text of `expression`, an int.
std::string module_that_computes(const std::string& expression, const std::string& before = "") {
  return "#include <cweb.h>\n" + before + "static int compute(int x) { return " + expression +
         "; }\n"
         "static int answer(struct http_request *req, struct http_response *res) {\n"
         "    snprintf(res->body, HTTP_RESPONSE_SIZE, \"%d\", compute(req->content_length + 1));\n"
         "    return 0;\n"
         "}\n"
         "export module_t config = {.name = \"made\", .routes = {{\"/made\", \"GET\", answer, NONE}}, .size = 1};\n";
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  all.reserve(text.size() * static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST_P(BadSourceTest, nothing_at_all) {
  EXPECT_EQ(post("").status, 400);
  const DeployAnswer blank = post(" \n\t\n");
  EXPECT_EQ(blank.status, 422);
  EXPECT_THAT(blank.all_sentences(), HasSubstr("empty"));
}

TEST_P(BadSourceTest, ten_megabytes) {
  const DeployAnswer answer = post(module_that_computes("x", "/*" + std::string(10'000'000, ' ') + "*/\n"));
  EXPECT_EQ(answer.status, 413) << answer;
  EXPECT_THAT(answer.error(), HasSubstr("4194304"));
}

TEST_P(BadSourceTest, more_than_a_request_to_mgnt_may_have) {
  const HttpResponse response = client_.post("/mgnt", std::string(17U << 20, ' '));
  EXPECT_EQ(response.status, 413) << response.error;
  expect_canary_counts_on();
}

TEST_P(BadSourceTest, a_nul_byte) {
  const DeployAnswer answer = post(module_that_computes("x", std::string("/* a \0 b */\n", 12)));
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.all_sentences(), HasSubstr("NUL"));
  EXPECT_EQ(first_error_line(answer), 2U);
}

TEST_P(BadSourceTest, invalid_utf_8) {
  const DeployAnswer in_name = post(module_that_computes("x", "int a\xff\xfe = 1;\n"));
  EXPECT_EQ(in_name.status, 422) << in_name;
  EXPECT_EQ(first_error_line(in_name), 2U);
  // In comments and strings C lets any byte be; the compiler says what it thinks of it.
  const DeployAnswer in_comment = post(module_that_computes("x", "/* caf\xe9 */\n"));
  EXPECT_EQ(in_comment.status, 200) << in_comment;
}

TEST_P(BadSourceTest, the_longest_name_and_one_that_is_longer) {
  EXPECT_TRUE(post(answering_module(std::string(127, 'n'), "/long", "here")).deployed());
  EXPECT_EQ(client_.get("/mgnt/modules/" + std::string(127, 'n')).status, 200);
  for (const size_t length : {128U, 129U, 1'000U}) {
    const DeployAnswer answer = post(answering_module(std::string(length, 'm'), "/longer", "here"));
    EXPECT_EQ(answer.status, 422) << answer;
    EXPECT_THAT(answer.all_sentences(), HasSubstr("127"));
  }
  EXPECT_EQ(client_.get("/longer").status, 404);
}

TEST_P(BadSourceTest, five_thousand_nested_parentheses) {
  const DeployAnswer answer = post(module_that_computes(repeated("(", 5'000) + "x" + repeated(")", 5'000)));
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.all_sentences(), HasSubstr("bracket nesting level"));
}

TEST_P(BadSourceTest, fifty_thousand_nested_braces) {
  const DeployAnswer answer =
      post(module_that_computes("x", "static void deep(void) " + repeated("{", 50'000) + repeated("}", 50'000) + "\n"));
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.all_sentences(), HasSubstr("bracket nesting level"));
}

TEST_F(LimitTest, a_hundred_thousand_terms) {
  const DeployAnswer answer = post(module_that_computes(repeated("x + ", 99'999) + "x"));
  if (answer.status == 200) {
    EXPECT_EQ(client_.get("/made").body, "100000");
  } else {
    EXPECT_EQ(answer.status, 422) << answer;
    EXPECT_THAT(answer.all_sentences(),
                AnyOf(HasSubstr("stack"), HasSubstr("memory"), HasSubstr("longer than"), HasSubstr("processor time")));
  }
}

TEST_F(LimitTest, a_compile_that_would_not_end) {
  // Thousands of functions that the optimiser takes seriously, each made by a macro: small text, long work.
  std::string many =
      "#define F(n) static int f##n(int a, int b) { for (int i = 0; i < a; ++i) for (int j = 0; j < b; ++j) "
      "for (int k = 0; k < i; ++k) a += (b ^ (i * j)) % (k + 7); return a * b; }\n"
      "#define F10(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)\n"
      "#define F100(n) F10(n##0) F10(n##1) F10(n##2) F10(n##3) F10(n##4) F10(n##5) F10(n##6) F10(n##7) F10(n##8) "
      "F10(n##9)\n"
      "#define F1000(n) F100(n##0) F100(n##1) F100(n##2) F100(n##3) F100(n##4) F100(n##5) F100(n##6) F100(n##7) "
      "F100(n##8) F100(n##9)\n";
  std::string uses = "x";
  for (int thousand = 1; thousand <= 9; ++thousand) {
    many += "F1000(" + std::to_string(thousand) + ")\n";
    for (int i = 0; i < 1'000; ++i) {
      uses += " + f" + std::to_string(thousand * 1'000 + i) + "(x, x)";
      if (i % 50 == 49) uses += "\n";
    }
  }
  const DeployAnswer answer = post(module_that_computes(uses, many));
  EXPECT_EQ(answer.status, 422) << answer;
  EXPECT_THAT(answer.all_sentences(),
              AnyOf(HasSubstr("longer than"), HasSubstr("processor time"), HasSubstr("memory"), HasSubstr("stack")));
}

TEST_P(BadSourceTest, a_mebibyte_of_honest_source_is_deployed) {
  // A file turned into a table, as C programs do it.
  std::string table = "static const unsigned char page[] = {\n";
  int sum = 0;
  for (int i = 0; table.size() < (size_t{1} << 20); ++i) {
    const int byte = i * 31 % 256;
    sum += byte;
    table += std::to_string(byte) + (i % 24 == 23 ? ",\n" : ",");
  }
  table +=
      "};\nstatic int sum_of_page(void) { int sum = 0; for (size_t i = 0; i < sizeof page; ++i) sum += page[i]; "
      "return sum; }\n";
  const DeployAnswer answer = post(module_that_computes("x - x + sum_of_page()", table));
  ASSERT_TRUE(answer.deployed()) << answer;
  EXPECT_EQ(client_.get("/made").body, std::to_string(sum));
}

TEST_P(BadSourceTest, a_mebibyte_of_text_around_little_code_is_deployed) {
  const DeployAnswer answer = post(module_that_computes("x + 41", "/*" + std::string(1U << 20, '\n') + "*/\n"));
  ASSERT_TRUE(answer.deployed()) << answer;
  EXPECT_EQ(client_.get("/made").body, "42");
}

TEST_P(BadSourceTest, an_error_behind_thousands_of_lines_has_its_line) {
  const DeployAnswer answer = post(module_that_computes("x", std::string(9'998, '\n') + "int broken = ;\n"));
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(first_error_line(answer), 10'000U);
}

TEST_P(BadSourceTest, thousands_of_errors_are_not_all_told) {
  const DeployAnswer answer = post(module_that_computes("x", repeated("int broken = ;\n", 5'000)));
  EXPECT_EQ(answer.status, 422);
  EXPECT_LT(answer.text.size(), size_t{1} << 20);
}

TEST_P(BadSourceTest, one_line_of_a_mebibyte_with_an_error_at_its_end) {
  const DeployAnswer answer = post(module_that_computes("x", std::string(1U << 20, ' ') + "int broken = ;\n"));
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(first_error_line(answer), 2U);
  EXPECT_LT(answer.text.size(), size_t{1} << 20);
}

}  // namespace
}  // namespace cweb::e2e
