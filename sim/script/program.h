// sim/script/program.h: an application whose behaviour is a Lua function in virtual time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sim/lab/app.h"

namespace mqlab::script {

// `number`: of the client among those that the file declares.
std::unique_ptr<App> make_program(std::uint32_t number, const std::string& name);

}  // namespace mqlab::script
