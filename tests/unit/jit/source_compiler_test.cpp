// What the compiler says of sources, and what it reads off them.
#include <gmock/gmock.h>

#include "jit/warm_up_module.h"
#include "module_sources.h"

namespace cweb::jit {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class SourceCompilerTest : public CompilerTest {};

// ------------------------------------------------------------------------------------------------------- messages

TEST_F(SourceCompilerTest, an_error_comes_with_line_column_source_and_caret) {
  const CompileFailure failure = refusal("#include <cweb.h>\nint f(void) {\n  return x;\n}\n");
  EXPECT_EQ(failure.kind, CompileFailure::Kind::rejected);
  EXPECT_EQ(failure.stage, "compile");
  EXPECT_THAT(failure.rendered, HasSubstr("module.c:3:10: error: use of undeclared identifier 'x'\n"
                                          "    3 |   return x;\n"
                                          "      |          ^\n"));
  ASSERT_THAT(failure.diagnostics, SizeIs(1));
  const Diagnostic& diagnostic = failure.diagnostics[0];
  EXPECT_EQ(diagnostic.severity, Diagnostic::Severity::error);
  EXPECT_EQ(diagnostic.position.line, 3U);
  EXPECT_EQ(diagnostic.position.column, 10U);
  EXPECT_EQ(diagnostic.file, "module.c");
}

TEST_F(SourceCompilerTest, a_warning_is_passed_on_with_its_option_and_the_module_compiles) {
  const Compilation made = compilation(with_statement("int unused;"));
  ASSERT_THAT(made.diagnostics, SizeIs(1));
  EXPECT_EQ(made.diagnostics[0].severity, Diagnostic::Severity::warning);
  EXPECT_EQ(made.diagnostics[0].option, "-Wunused-variable");
  EXPECT_THAT(made.rendered, HasSubstr("module.c:2:20: warning: unused variable 'unused' [-Wunused-variable]"));
  EXPECT_FALSE(made.object.empty());
}

TEST_F(SourceCompilerTest, a_missing_semicolon_comes_with_its_fix) {
  const CompileFailure failure = refusal(with_statement("int a = 1"));
  ASSERT_FALSE(failure.diagnostics.empty());
  ASSERT_THAT(failure.diagnostics[0].fixits, SizeIs(1));
  EXPECT_EQ(failure.diagnostics[0].fixits[0].text, ";");
}

TEST_F(SourceCompilerTest, what_c_lets_pass_and_kills_servers_is_an_error) {
  EXPECT_THAT(refusal(with_statement("undeclared(1);")).rendered, HasSubstr("error: call to undeclared function"));
  EXPECT_THAT(refusal(with_statement("char *p = 5;")).rendered, HasSubstr("error: incompatible integer to pointer"));
  EXPECT_THAT(refusal(with_statement("int a; char **p = &a;")).rendered,
              HasSubstr("error: incompatible pointer types"));
  EXPECT_THAT(refusal(module_with("int f(void) { }")).rendered, HasSubstr("error: non-void function does not return"));
  EXPECT_THAT(refusal(module_with("static f(void) { return 1; }")).rendered,
              HasSubstr("error: type specifier missing"));
}

TEST_F(SourceCompilerTest, a_const_body_is_a_warning_only) {
  const Compilation made =
      compilation(module_with("static const char page[] = \"hi\";\n"
                              "void f(struct http_response *res) { res->body = page; }"));
  EXPECT_THAT(made.rendered, HasSubstr("warning: assigning to 'char *' from 'const char[3]' discards qualifiers"));
}

TEST_F(SourceCompilerTest, unused_parameters_are_no_matter) {
  EXPECT_THAT(compilation(module_with("int f(int a, int b) { return 1; }")).rendered, IsEmpty());
}

TEST_F(SourceCompilerTest, a_static_assertion_says_why) {
  EXPECT_THAT(refusal(module_with("_Static_assert(0, \"why\");")).rendered,
              HasSubstr("module.c:2:16: error: static assertion failed: why"));
}

TEST_F(SourceCompilerTest, invalid_utf8_is_shown_and_the_answer_is_valid) {
  const CompileFailure failure = refusal(module_with("int a\xff = 1;\nchar *b = \"\xc3\";\nint c = d;"));
  EXPECT_THAT(failure.rendered, HasSubstr("error: source file is not valid UTF-8"));
  EXPECT_THAT(failure.rendered, HasSubstr("use of undeclared identifier 'd'"));
  EXPECT_THAT(failure.rendered, Not(HasSubstr("\xff")));
}

TEST_F(SourceCompilerTest, text_that_is_no_source_is_refused_with_a_sentence) {
  EXPECT_EQ(refusal("").rendered, "error: the source is empty\n");
  EXPECT_EQ(refusal(" \n\t").rendered, "error: the source is empty\n");
  EXPECT_EQ(refusal(std::string("int a;\n \0", 9)).rendered,
            "module.c:2:2: error: the source has a NUL byte, so it is not C text\n");
  EXPECT_THAT(refusal(std::string((size_t{4} << 20) + 1, ' ') + "x").rendered, HasSubstr("the limit is 4194304"));
}

TEST_F(SourceCompilerTest, warnings_without_end_are_cut) {
  std::string lines;
  for (int i = 0; i < 300; ++i) lines += "int unused" + std::to_string(i) + ";\n";
  const Compilation made = compilation(with_statement(lines));
  EXPECT_THAT(made.diagnostics, SizeIs(50));
  EXPECT_THAT(made.rendered, HasSubstr("(250 more warnings are not shown)"));
}

// ---------------------------------------------------------------------------------------------- nothing of the disk

TEST_F(SourceCompilerTest, no_file_of_the_machine_can_be_included) {
  for (const char* name : {"\"/etc/passwd\"", "</dev/zero>", "\"../../x\"", "\"module.c\"", "<module.c>",
                           "\"/proc/self/environ\"", "\"../../../../../../../etc/passwd\"", "\"/module/module.c\""}) {
    const CompileFailure failure = refusal(std::string("#include ") + name + "\n#include <cweb.h>\n");
    EXPECT_THAT(failure.rendered, HasSubstr("file not found")) << name;
  }
}

TEST_F(SourceCompilerTest, no_file_of_the_machine_can_be_embedded_or_probed) {
  EXPECT_THAT(refusal(module_with("char a[] = {\n#embed \"/etc/passwd\"\n};")).rendered, HasSubstr("file not found"));
  EXPECT_THAT(refusal(module_with("#if __has_include(\"/etc/passwd\")\n#error yes\n#else\n#error no\n#endif")).rendered,
              HasSubstr("error: no"));
}

TEST_F(SourceCompilerTest, the_assembler_reads_no_files) {
  for (const char* text :
       {R"(.incbin \"/etc/passwd\")", R"(.INCBIN \"/etc/passwd\")", R"(nop; .include \"/etc/passwd\")",
        R"(.inc\" \"bin)", R"(.macro m\n.endm)", R"(a: .incbin\t\"/etc/passwd\")"}) {
    EXPECT_THAT(refusal(module_with(std::string("__asm__(\"") + text + "\");")).rendered,
                ::testing::AnyOf(HasSubstr("inline assembly may not use"), HasSubstr("must begin with the plain name"),
                                 HasSubstr("error:")))
        << text;
    EXPECT_THAT(refusal(with_statement(std::string("__asm__(\"") + text + "\");")).rendered, HasSubstr("error:"))
        << text;
  }
}

TEST_F(SourceCompilerTest, ordinary_inline_assembly_compiles) {
  compilation(
      module_with("static inline unsigned long ticks(void) { unsigned lo, hi;\n"
                  "__asm__ volatile(\"rdtsc\" : \"=a\"(lo), \"=d\"(hi)); return ((unsigned long)hi << 32) | lo; }\n"
                  "unsigned long f(void) { return ticks(); }"));
}

TEST_F(SourceCompilerTest, the_documented_headers_are_there) {
  std::string includes;
  for (const char* name : {"stdio.h", "unistd.h", "time.h", "math.h", "openssl/sha.h", "openssl/hmac.h", "zlib.h",
                           "immintrin.h", "stdatomic.h", "sys/socket.h", "http.h", "map.h", "container.h"}) {
    includes += std::string("#include <") + name + ">\n";
  }
  compilation(includes + module_with(""));
}

// --------------------------------------------------------------------------------------------------------- limits

TEST_F(SourceCompilerTest, static_data_is_bounded) {
  EXPECT_THAT(refusal(module_with("char a[1<<30] = {1};")).rendered,
              HasSubstr("module.c:2:6: error: `a` takes 1073741824 bytes of static storage; the limit is 67108864"));
  EXPECT_THAT(refusal(module_with("char a[40<<20]; char b[40<<20];")).rendered,
              HasSubstr("with `b` the module's static storage comes to 83886080 bytes"));
  EXPECT_THAT(refusal(with_statement("static char a[1<<30]; a[0] = 1;")).rendered, HasSubstr("static storage"));
  EXPECT_THAT(refusal(with_statement("char a[1<<30] = {1}; puts(a);")).rendered, HasSubstr("the limit for one object"));
  EXPECT_THAT(refusal(module_with("char a[8] __attribute__((aligned(1 << 28)));")).rendered,
              HasSubstr("is aligned to"));
  compilation(module_with("char a[32<<20];"));
}

TEST_F(SourceCompilerTest, assembly_cannot_make_a_huge_module) {
  EXPECT_THAT(refusal(module_with("__asm__(\".space 200000000\");")).rendered, HasSubstr("the limit is 134217728"));
}

TEST_F(SourceCompilerTest, deep_nesting_is_clangs_own_error) {
  const std::string open(5000, '('), close(5000, ')');
  EXPECT_THAT(refusal(module_with("int f(void) { return " + open + "1" + close + "; }")).rendered,
              HasSubstr("bracket nesting level exceeded"));
  const std::string deep(50000, '{'), up(50000, '}');
  EXPECT_THAT(refusal(module_with("void f(void) {" + deep + up + "}")).rendered,
              HasSubstr("bracket nesting level exceeded"));
}

TEST_F(SourceCompilerTest, a_module_has_no_main) {
  const CompileFailure failure = refusal(module_with("int main(void) { return 0; }"));
  EXPECT_EQ(failure.stage, "compile");
  EXPECT_THAT(failure.rendered, StartsWith("module.c:2:5: error: a module has no `main`"));
}

// --------------------------------------------------------------------------------------------------------- config

TEST_F(SourceCompilerTest, a_module_needs_a_config_that_the_server_sees) {
  const auto refused_config = [](const std::string& lines) {
    const CompileFailure failure = refusal("#include <cweb.h>\n" + lines + "\n");
    EXPECT_EQ(failure.stage, "config") << lines;
    return failure.rendered;
  };
  EXPECT_THAT(refused_config("int x;"), HasSubstr("the module defines no `config`"));
  EXPECT_THAT(refused_config("int config;"), HasSubstr("`config` has type 'int'; expected 'module_t' of <cweb.h>"));
  EXPECT_THAT(refused_config("void config(void) {}"), HasSubstr("`config` is not an object"));
  EXPECT_THAT(refused_config("static module_t config; void *f(void) { return &config; }"),
              HasSubstr("`config` is static"));
  EXPECT_THAT(refused_config("__attribute__((visibility(\"hidden\"))) module_t config = {.name = \"a\"};"),
              HasSubstr("`config` is hidden"));
  EXPECT_THAT(refused_config("extern module_t config; void *f(void) { return &config; }"),
              HasSubstr("declared and not defined"));
  EXPECT_THAT(refused_config("_Thread_local module_t config;"), HasSubstr("thread-local"));
}

TEST_F(SourceCompilerTest, a_later_or_earlier_declaration_of_config_does_no_harm) {
  compilation(
      "#include <cweb.h>\nextern module_t config;\nexport module_t config = {.name = \"a\"};\nextern module_t "
      "config;\n");
}

TEST_F(SourceCompilerTest, a_wrong_handler_type_is_shown_beside_the_expected_one) {
  const CompileFailure failure = refusal(
      "#include <cweb.h>\nstatic void f(int a) { (void)a; }\n"
      "export module_t config = {.name = \"a\", .routes = {{\"/x\", \"GET\", f, NONE}}, .size = 1};\n");
  EXPECT_THAT(failure.rendered, HasSubstr("error: "));
  EXPECT_THAT(failure.rendered, HasSubstr("'void (int)'"));
  EXPECT_THAT(failure.rendered, HasSubstr("^"));
}

TEST_F(SourceCompilerTest, a_handler_that_returns_int_and_takes_something_else_is_named_with_its_route) {
  const CompileFailure failure = refusal(
      "#include <cweb.h>\nstatic int f(int a) { return a; }\n"
      "export module_t config = {.name = \"a\", .routes = {{\"/x\", \"GET\", f, NONE}}, .size = 1};\n");
  EXPECT_EQ(failure.stage, "config");
  EXPECT_THAT(failure.rendered,
              HasSubstr("module.c:3:65: error: handler `f` of route GET /x has type 'int (int)'; expected 'int (struct "
                        "http_request *, struct http_response *)'"));
  EXPECT_THAT(failure.rendered, HasSubstr("module.c:2:12: note: `f` is declared here"));
}

TEST_F(SourceCompilerTest, a_handler_is_the_name_of_a_function) {
  const CompileFailure failure = refusal(
      "#include <cweb.h>\n"
      "export module_t config = {.name = \"a\", .routes = {{\"/x\", \"GET\", (entry_t)0x1234, NONE}}, .size = 1};\n");
  EXPECT_THAT(failure.rendered, HasSubstr("handler of route GET /x must be the name of a function"));
}

TEST_F(SourceCompilerTest, the_facts_name_routes_handlers_and_layout) {
  const Compilation made = compilation(
      "#include <cweb.h>\n"
      "static int f(struct http_request *a, struct http_response *b) { return 0; }\n"
      "static void up(void) {}\n"
      "static void say(struct websocket *s, const char *m, size_t n) {}\n"
      "export module_t config = {.name = \"a\",\n"
      "  .routes = {{\"/x\", \"GET\", f, NONE},\n"
      "             {\"/y\", \"GET\", &f, NONE}},\n"
      "  .size = 2, .websockets = {{\"/w\", NULL, say, NULL}}, .ws_size = 1, .onload = up};\n");
  const ModuleFacts& facts = made.facts;
  ASSERT_THAT(facts.routes, SizeIs(2));
  EXPECT_EQ(facts.routes[0].handler, CallShape::documented);
  EXPECT_EQ(facts.routes[0].handler_name, "f");
  EXPECT_EQ(facts.routes[0].position.line, 6U);
  EXPECT_EQ(facts.routes[1].index, 1U);
  EXPECT_EQ(facts.routes[1].position.line, 7U);
  ASSERT_THAT(facts.websockets, SizeIs(1));
  EXPECT_EQ(facts.websockets[0].on_open, CallShape::absent);
  EXPECT_EQ(facts.websockets[0].on_message, CallShape::documented);
  EXPECT_EQ(facts.onload, CallShape::documented);
  EXPECT_EQ(facts.unload, CallShape::absent);
  EXPECT_EQ(facts.config_position.line, 5U);
  ASSERT_TRUE(facts.layout.routes.has_value());
  EXPECT_EQ(facts.layout.name->size, 128U);
  EXPECT_EQ(facts.layout.routes->element_count, 10U);
  EXPECT_EQ(facts.layout.routes->element_size, 32U);
  EXPECT_EQ(facts.layout.route_handler.offset, 16U);
}

TEST_F(SourceCompilerTest, callbacks_may_take_a_context_first_and_be_mixed_with_others) {
  const Compilation made = compilation(
      "#include <cweb.h>\n"
      "static int f(cweb_context_t *c, http_request_t *a, http_response_t *b) { return 0; }\n"
      "static int g(struct http_request *a, struct http_response *b) { return 0; }\n"
      "static void up(struct cweb_context *c) {}\n"
      "void down() {}\n"
      "static void in(websocket_t *s) {}\n"
      "static void say(cweb_context_t *c, websocket_t *s, const char *m, size_t n) {}\n"
      "static void out(cweb_context_t *c, websocket_t *s) {}\n"
      "export module_t config = {.name = \"a\",\n"
      "  .routes = {{\"/x\", \"GET\", f, NONE}, {\"/y\", \"GET\", g, NONE}}, .size = 2,\n"
      "  .websockets = {{\"/w\", in, say, out}}, .ws_size = 1, .onload = up, .unload = down};\n");
  EXPECT_EQ(made.rendered, "");
  const ModuleFacts& facts = made.facts;
  ASSERT_THAT(facts.routes, SizeIs(2));
  EXPECT_EQ(facts.routes[0].handler, CallShape::context_first);
  EXPECT_EQ(facts.routes[1].handler, CallShape::documented);
  ASSERT_THAT(facts.websockets, SizeIs(1));
  EXPECT_EQ(facts.websockets[0].on_open, CallShape::documented);
  EXPECT_EQ(facts.websockets[0].on_message, CallShape::context_first);
  EXPECT_EQ(facts.websockets[0].on_close, CallShape::context_first);
  EXPECT_EQ(facts.onload, CallShape::context_first);
  EXPECT_EQ(facts.unload, CallShape::documented);
}

TEST_F(SourceCompilerTest, a_callback_of_neither_kind_is_told_both_that_it_may_be) {
  const auto refused_with = [](const std::string& function, const std::string& members) {
    const CompileFailure failure =
        refusal("#include <cweb.h>\n" + function + "\nexport module_t config = {.name = \"a\", " + members + "};\n");
    EXPECT_EQ(failure.stage, "config") << function;
    EXPECT_THAT(failure.rendered, HasSubstr("^"));
    return failure.rendered;
  };
  EXPECT_THAT(
      refused_with("int f(struct http_request *a, struct http_response *b, struct cweb_context *c) { return 0; }",
                   ".routes = {{\"/x\", \"GET\", f, NONE}}, .size = 1"),
      HasSubstr("expected 'int (struct http_request *, struct http_response *)' or 'int (struct cweb_context *, "
                "struct http_request *, struct http_response *)'"));
  EXPECT_THAT(
      refused_with("int f(struct cweb_context *c) { return 0; }", ".routes = {{\"/x\", \"GET\", f, NONE}}, .size = 1"),
      HasSubstr("has type 'int (struct cweb_context *)'"));
  EXPECT_THAT(refused_with("int f(struct other_context *c, http_request_t *a, http_response_t *b) { return 0; }",
                           ".routes = {{\"/x\", \"GET\", f, NONE}}, .size = 1"),
              HasSubstr("struct other_context *"));
  EXPECT_THAT(
      refused_with("void f(struct websocket *s, struct cweb_context *c) {}",
                   ".websockets = {{\"/w\", f, NULL, NULL}}, .ws_size = 1"),
      HasSubstr("on_open `f` of WebSocket /w has type 'void (struct websocket *, struct cweb_context *)'; expected "
                "'void (struct websocket *)' or 'void (struct cweb_context *, struct websocket *)'"));
  EXPECT_THAT(refused_with("void f(cweb_context_t *c, websocket_t *s, const char *m) {}",
                           ".websockets = {{\"/w\", NULL, f, NULL}}, .ws_size = 1"),
              HasSubstr("or 'void (struct cweb_context *, struct websocket *, const char *, size_t)'"));
  EXPECT_THAT(refused_with("void f(struct http_request *a) {}", ".onload = f"),
              HasSubstr("expected 'void (void)' or 'void (struct cweb_context *)'"));
}

TEST_F(SourceCompilerTest, the_tables_may_be_longer) {
  const Compilation made =
      compilation("#define CWEB_MAX_ROUTES 64\n#define CWEB_MAX_WEBSOCKETS 32\n" + module_with(""));
  EXPECT_EQ(made.facts.layout.routes->element_count, 64U);
  EXPECT_EQ(made.facts.layout.websockets->element_count, 32U);
}

TEST_F(SourceCompilerTest, the_first_use_of_every_external_name_is_known) {
  const Compilation made =
      compilation(module_with("int elsewhere(int);\nextern int there;\n"
                              "int f(void) { return elsewhere(1) + there; }\n"
                              "int g(void) { return f() + elsewhere(2); }"));
  EXPECT_THAT(made.facts.external_uses,
              ElementsAre(Field(&ExternalUse::name, "elsewhere"), Field(&ExternalUse::name, "there")));
  EXPECT_EQ(made.facts.external_uses[0].position.line, 4U);
  EXPECT_EQ(made.facts.external_uses[0].position.column, 22U);
}

// A compile that fails warms up less.
TEST_F(SourceCompilerTest, the_module_that_helpers_warm_up_on_compiles_without_a_word) {
  const Compilation made = compilation("#include <cweb.h>\n" + std::string(warm_up_module));
  EXPECT_EQ(made.rendered, "");
}

// ------------------------------------------------------------------------------------------------- the back end

TEST_F(SourceCompilerTest, an_error_in_assembly_names_the_statement_and_the_instruction) {
  const std::string rendered = refusal(with_statement("__asm__ volatile(\"nop\\n bogus %eax\");")).rendered;
  EXPECT_THAT(rendered, HasSubstr("module.c:2:"));
  EXPECT_THAT(rendered, HasSubstr(": error: invalid instruction mnemonic 'bogus'"));
  EXPECT_THAT(rendered, HasSubstr("<inline asm>:2:2: note: instantiated into assembly here\n"
                                  "    2 |  bogus %eax\n"));
  EXPECT_THAT(rendered, HasSubstr("1 error generated."));
}

TEST_F(SourceCompilerTest, a_warning_in_assembly_at_file_scope_is_passed_on) {
  const Compilation made = compilation(module_with("__asm__(\".warning \\\"look\\\"\\n\");"));
  EXPECT_THAT(made.rendered, HasSubstr("<inline asm>:1:1: warning: look [-Winline-asm]"));
}

TEST_F(SourceCompilerTest, calls_that_a_header_forbids_are_named_with_its_reason) {
  const std::string rendered =
      refusal(module_with("void never(void) __attribute__((error(\"do not\")));\nvoid f(void) { never(); }")).rendered;
  EXPECT_THAT(rendered, HasSubstr("module.c:3:16: error: call to 'never' declared with 'error' attribute: do not"));
}

TEST_F(SourceCompilerTest, a_loop_that_was_to_be_vectorised_and_is_not_is_a_warning_at_the_loop) {
  const Compilation made = compilation(
      module_with("int f(int *p, int n) {\n  int i;\n#pragma clang loop vectorize(enable)\n"
                  "  for (i = 0; i < n; i++) { p[i] = p[p[i] & 3]; if (p[i] == 3) break; }\n  return i;\n}"));
  EXPECT_THAT(made.rendered, HasSubstr("module.c:5:3: warning: loop not vectorized"));
  ASSERT_FALSE(made.diagnostics.empty());
  EXPECT_EQ(made.diagnostics[0].option, "-Wpass-failed");
}

/// LLVM's passes and the target are kept between compiles: nothing of one source may show in the object of another.
TEST_F(SourceCompilerTest, what_was_compiled_before_leaves_no_trace_in_the_object) {
  const std::string plain = module_with(
      "static _Thread_local int calls;\n"
      "double sum(const double *v, int n) { double s = 0; for (int i = 0; i < n; i++) s += v[i] * 3; return s + "
      "++calls; }\n"
      "const char *name(int i) { static const char *names[] = {\"a\", \"b\"}; return names[i & 1]; }");
  const std::vector<std::string> others = {
      module_with("__asm__(\".altmacro\\n\");"),
      with_statement("__asm__ volatile(\".intel_syntax noprefix\\n mov eax, eax\\n\");"),
      with_statement("__asm__ volatile(\"bogus %eax\");"),
      module_with("__attribute__((target(\"no-sse4.2,arch=core2\"))) float f(float *a, int n) {"
                  " float s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }"),
      module_with(
          "__attribute__((retain, used)) static int kept = 1; __attribute__((retain)) int f(void) { return kept; }"),
      module_with("__attribute__((section(\"other\"), aligned(64))) int placed = 1; int f(void) { return placed; }"),
      "int f(void) { return x; }",
  };
  const std::string object = compilation(plain).object;
  ASSERT_FALSE(object.empty());
  for (const std::string& other : others) {
    static_cast<void>(compile(other));
    EXPECT_EQ(compilation(plain).object, object) << "after\n" << other;
  }
}

}  // namespace
}  // namespace cweb::jit
