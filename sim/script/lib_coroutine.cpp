// coroutine.create, wrap, resume, close: the stock ones catch budget errors, lose track of the running
// thread and can fill the C stack.
#include "sim/script/border.h"
#include "sim/script/core.h"
#include "sim/script/library.h"

namespace mqlab::script {
namespace {

constexpr int closing_max = 32;

int co_create(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  charge(L, hook_interval);  // a new thread counts its instructions from zero; it pays the first round here
  lua_State* co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

// Moves results or the error to L. Returns the number of results, or -1 for an error. A spent budget is
// raised in L at once; the dead thread is left as it is, because its __close handlers would run with the
// hook off (lua_resetthread does not restore it).
int resume(lua_State* L, lua_State* co, int arguments, int* status) {
  if (!lua_checkstack(co, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, arguments);
  int results = 0;
  *status = resume_thread(co, L, arguments, &results);
  if (*status != LUA_OK && *status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    raise_if_spent(L, *status);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

// Closes what a dead or suspended thread has pending. lua_resetthread (5.4.4) runs on the C stack without
// counting it, so closing within closing is limited here.
int close_thread(lua_State* L, lua_State* co) {
  Core& core = core_of(L);
  if (core.closing >= closing_max) raise(L, "C stack overflow: coroutines are closed within __close too deeply");
  lua_State* const running = core.running;
  lua_State* const resumer = core.resumer;
  core.running = co;
  core.resumer = L;
  ++core.closing;
  const int status = lua_resetthread(co);
  --core.closing;
  core.running = running;
  core.resumer = resumer;
  return status;
}

lua_State* thread_at(lua_State* L, int index) {
  lua_State* co = lua_tothread(L, index);
  luaL_argexpected(L, co, index, "thread");
  return co;
}

int co_resume(lua_State* L) {
  lua_State* co = thread_at(L, 1);
  int status = LUA_OK;
  const int results = resume(L, co, lua_gettop(L) - 1, &status);
  if (results < 0) {
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushboolean(L, 1);
  lua_insert(L, -(results + 1));
  return results + 1;
}

int wrapped_thread(lua_State* L) {
  lua_State* co = lua_tothread(L, lua_upvalueindex(1));
  int status = LUA_OK;
  const int results = resume(L, co, lua_gettop(L), &status);
  if (results >= 0) return results;
  const int state = lua_status(co);
  if (state != LUA_OK && state != LUA_YIELD) {  // the error killed it, so its variables must be closed
    const int closed = close_thread(L, co);
    lua_settop(L, 0);
    lua_xmove(co, L, 1);
    raise_if_spent(L, closed);
  }
  return lua_error(L);
}

int co_wrap(lua_State* L) {
  co_create(L);
  lua_pushcclosure(L, wrapped_thread, 1);
  return 1;
}

bool is_idle(lua_State* co) {
  lua_Debug ar;
  return lua_status(co) != LUA_OK || !lua_getstack(co, 0, &ar);
}

int co_close(lua_State* L) {
  lua_State* co = thread_at(L, 1);
  if (co == L || !is_idle(co)) raise(L, "cannot close a %s coroutine", co == L ? "running" : "normal");
  const int status = close_thread(L, co);
  if (status == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  raise_if_spent(L, status);
  return 2;
}

}  // namespace

const luaL_Reg coroutine_functions[] = {
    {"close", co_close}, {"create", co_create}, {"resume", co_resume}, {"wrap", co_wrap}, {nullptr, nullptr},
};

}  // namespace mqlab::script
