// The JSON inside the frames: options to the helper, outcomes back; and the facts alone. Pure; any thread.
#include <nlohmann/json.hpp>
#include <utility>

#include "jit/facts_json.h"
#include "jit/helper_protocol.h"

namespace cweb {

// Found by the JSON library through the types' namespace.

// By name: a number that is none of them would go through every switch. What is not known reads as the first.
NLOHMANN_JSON_SERIALIZE_ENUM(CallShape, {{CallShape::absent, "absent"},
                                         {CallShape::documented, "documented"},
                                         {CallShape::context_first, "context_first"}})

static void to_json(nlohmann::json& json, const SourcePosition& value) {
  json = {value.line, value.column};
}
static void from_json(const nlohmann::json& json, SourcePosition& value) {
  value = {json.at(0).get<unsigned>(), json.at(1).get<unsigned>()};
}

static void to_json(nlohmann::json& json, const MemberLayout& value) {
  json = {value.offset, value.size, value.element_size, value.element_count};
}
static void from_json(const nlohmann::json& json, MemberLayout& value) {
  value = {json.at(0).get<size_t>(), json.at(1).get<size_t>(), json.at(2).get<size_t>(), json.at(3).get<size_t>()};
}

/// Calls `visit(name, member)` for each member that travels. One list for both directions cannot fall apart.
template <class Layout, class Visit>
static void each_optional_member(Layout& layout, Visit visit) {
  visit("name", layout.name);
  visit("author", layout.author);
  visit("routes", layout.routes);
  visit("route_count", layout.route_count);
  visit("websockets", layout.websockets);
  visit("websocket_count", layout.websocket_count);
  visit("onload", layout.onload);
  visit("unload", layout.unload);
  visit("deadline_ms", layout.deadline_ms);
  visit("jobs", layout.jobs);
  visit("job_count", layout.job_count);
}

template <class Layout, class Visit>
static void each_row_member(Layout& layout, Visit visit) {
  visit("route_path", layout.route_path);
  visit("route_method", layout.route_method);
  visit("route_handler", layout.route_handler);
  visit("route_flags", layout.route_flags);
  visit("websocket_path", layout.websocket_path);
  visit("websocket_on_open", layout.websocket_on_open);
  visit("websocket_on_message", layout.websocket_on_message);
  visit("websocket_on_close", layout.websocket_on_close);
}

static void to_json(nlohmann::json& json, const ConfigLayout& value) {
  json = {{"size", value.size}};
  each_optional_member(value, [&](const char* name, const std::optional<MemberLayout>& member) {
    if (member) json[name] = *member;
  });
  each_row_member(value, [&](const char* name, const MemberLayout& member) { json[name] = member; });
}
static void from_json(const nlohmann::json& json, ConfigLayout& value) {
  json.at("size").get_to(value.size);
  each_optional_member(value, [&](const char* name, std::optional<MemberLayout>& member) {
    if (json.contains(name)) member = json.at(name).get<MemberLayout>();
  });
  each_row_member(value, [&](const char* name, MemberLayout& member) { json.at(name).get_to(member); });
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RouteFact, index, position, handler, handler_name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WebSocketFact, index, position, on_open, on_message, on_close)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ExternalUse, name, position)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ModuleFacts, config_position, layout, routes, websockets, onload, unload,
                                   external_uses)

}  // namespace cweb

namespace cweb::jit {

NLOHMANN_JSON_SERIALIZE_ENUM(Diagnostic::Severity, {{Diagnostic::Severity::error, "error"},
                                                    {Diagnostic::Severity::warning, "warning"},
                                                    {Diagnostic::Severity::note, "note"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Diagnostic::FixIt, begin, end, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Diagnostic, severity, position, file, message, option, fixits)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CompileTimings, front_end_ms, back_end_ms, total_ms)

namespace {

using nlohmann::json;

/// Messages quote the source, which may hold anything.
std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Leaves out of a document what no message of ours holds, so that whoever reads it finds a member missing: a fraction
/// too large for the integer that it may be read as, and nesting without end.
bool is_plausible(int depth, json::parse_event_t, json& parsed) {
  constexpr int most_depth = 16;
  constexpr double largest = 1e9;
  if (depth > most_depth) return false;
  if (!parsed.is_number_float()) return true;
  const double number = parsed.get<double>();
  return number >= 0 && number <= largest;
}

constexpr const char* helper_message = "the compile helper's message";

/// The JSON library throws where a text is not what it must be; here that becomes a value.
template <class T, class Decode>
Expected<T> decoded(const std::string& text, const char* what, Decode decode) {
  try {
    return decode(json::parse(text, is_plausible));
  } catch (const json::exception& error) {
    return fail(std::string(what) + " cannot be read: " + error.what());
  }
}

}  // namespace

std::string encode_options(const CompilerOptions& options) {
  return text_of({{"wall_ms", options.limits.wall.count()},
                  {"cpu_s", options.limits.cpu.count()},
                  {"memory_bytes", options.limits.memory_bytes},
                  {"static_data_bytes", options.limits.static_data_bytes},
                  {"source_bytes", options.limits.source_bytes},
                  {"include_dirs", options.include_dirs}});
}

Expected<CompilerOptions> decode_options(const std::string& text) {
  return decoded<CompilerOptions>(text, helper_message, [](const json& value) {
    CompilerOptions options;
    options.limits.wall = std::chrono::milliseconds(value.at("wall_ms").get<int64_t>());
    options.limits.cpu = std::chrono::seconds(value.at("cpu_s").get<int64_t>());
    value.at("memory_bytes").get_to(options.limits.memory_bytes);
    value.at("static_data_bytes").get_to(options.limits.static_data_bytes);
    value.at("source_bytes").get_to(options.limits.source_bytes);
    value.at("include_dirs").get_to(options.include_dirs);
    return options;
  });
}

std::string encode_answer(const HelperAnswer& answer) {
  json value{{"last", answer.last}};
  if (answer.outcome) {
    value["facts"] = answer.outcome->facts;
    value["diagnostics"] = answer.outcome->diagnostics;
    value["rendered"] = answer.outcome->rendered;
    value["timings"] = answer.outcome->timings;
  } else {
    value["stage"] = answer.outcome.error().stage;
    value["diagnostics"] = answer.outcome.error().diagnostics;
    value["rendered"] = answer.outcome.error().rendered;
  }
  return text_of(value);
}

Expected<HelperAnswer> decode_answer(Frame frame) {
  return decoded<HelperAnswer>(frame.text, helper_message, [&](const json& value) {
    HelperAnswer answer;
    value.at("last").get_to(answer.last);
    if (value.contains("facts")) {
      Compilation compilation;
      compilation.object = std::move(frame.blob);
      value.at("facts").get_to(compilation.facts);
      value.at("diagnostics").get_to(compilation.diagnostics);
      value.at("rendered").get_to(compilation.rendered);
      value.at("timings").get_to(compilation.timings);
      answer.outcome = std::move(compilation);
    } else {
      CompileFailure failure;
      value.at("stage").get_to(failure.stage);
      value.at("diagnostics").get_to(failure.diagnostics);
      value.at("rendered").get_to(failure.rendered);
      answer.outcome = std::unexpected(std::move(failure));
    }
    return answer;
  });
}

std::string encode_facts(const ModuleFacts& facts) {
  return text_of(facts);
}

Expected<ModuleFacts> decode_facts(const std::string& text) {
  return decoded<ModuleFacts>(text, "what is known of the module",
                              [](const json& value) { return value.get<ModuleFacts>(); });
}

}  // namespace cweb::jit
