// Calls that are overdue and cannot be ended, because they sleep in a library or wait for a lock. Their clients are
// answered; what the call uses stays until it returns, if it ever does.
#include "server/fault_context.h"
#include "server/worker.h"

namespace cweb::server {
namespace {

/// What the call under way was given. It has that to itself, and may be changing it: these are bytes of a buffer that
/// stays.
runtime::FaultContext describe_call(const Connection& connection) {
  if (const WebSocket* const socket = connection.socket.get()) {
    return describe_message(socket->running.callback, socket->opening.path, socket->running.message,
                            socket->running.is_binary);
  }
  const http::RequestReader& reader = connection.exchange->reader;
  // What stood behind the path was a question mark until the query was cut into parameters.
  const std::string_view target = reader.target();
  return describe_request(reader, target.substr(0, target.find_first_of(std::string_view("?\0", 2))));
}

}  // namespace

/// The connection is the call's until it returns.
void Worker::begin_call(Connection& connection) {
  connection.busy = true;
  in_handler_ = &connection;
  const runtime::CallingThread* const thread = runtime::CallingThread::current();
  connection.caller = thread;
  connection.call = thread->call() + 1;
}

/// On the thread that watches deadlines.
void Worker::give_up(const std::shared_ptr<runtime::CallingThread>& thread, uint64_t call,
                     const std::shared_ptr<runtime::ModuleVersion>& version) {
  loop_->post([this, thread, call, version] { answer_given_up(thread, call, version); });
}

void Worker::answer_given_up(const std::shared_ptr<runtime::CallingThread>& thread, uint64_t call,
                             const std::shared_ptr<runtime::ModuleVersion>& version) {
  const Connection* const connection = find_call(*thread, call);
  if (connection == nullptr) return;
  runtime::FaultRecord fault;
  thread->last_seen(call, fault);
  fault.kind = runtime::FaultRecord::Kind::deadline;
  fault.outside_module = true;
  runtime::SpareThreads::Task report = [this, thread, call, version, fault, context = describe_call(*connection)] {
    // Not before there is a thread: whoever begins a report makes it.
    if (!thread->begin_report(call)) return;
    const runtime::FaultAnswer answer = runtime::report_fault(version, fault, context);
    loop_->post([this, thread, call, answer] {
      if (Connection* const waiting = find_call(*thread, call)) abandon(*waiting, answer);
    });
  };
  // At the bound on threads the call is given up again a moment later.
  runtime_.spare_threads().run(report);
}

/// The connection whose call this is, while it is under way.
Connection* Worker::find_call(const runtime::CallingThread& thread, uint64_t call) const {
  if (thread.call() != call) return nullptr;
  for (const auto& connection : connections_) {
    if (connection->busy && connection->caller == &thread && connection->call == call && !connection->given_up) {
      return connection.get();
    }
  }
  return nullptr;
}

void Worker::abandon(Connection& connection, const runtime::FaultAnswer& answer) {
  if (connection.socket) {
    connection.socket->close(http::close_code::internal_error, "the module has failed: fault " + answer.id);
    flush_socket(connection);
    // The peer's close frame will not be read while the call lasts: what it waits for comes without that.
    if (!connection.broken && !connection.socket->has_output()) connection.transport->shut_down_write();
    return;
  }
  Exchange& exchange = *connection.exchange;
  std::string& out = exchange.out.bytes();
  const size_t start = out.size();
  append_fault_answer(out, {.status = answer.status, .keep_alive = false}, answer, exchange.reader.method() == "HEAD");
  if (access_stream_) log_answer(connection, start);
  flush(connection);
  connection.given_up = true;
  connection.transport->shut_down_write();
}

}  // namespace cweb::server
