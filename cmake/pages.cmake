# Manual pages and completion scripts, written by the command itself: -D WEIR=the program -D FOLDER=share -P this.
function(write_output file)
    execute_process(COMMAND ${WEIR} ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    file(WRITE ${FOLDER}/${file} "${text}")
    set(text "${text}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${FOLDER})
write_output(bash-completion/completions/weir completion bash)
write_output(zsh/site-functions/_weir completion zsh)
write_output(fish/vendor_completions.d/weir.fish completion fish)
# weir(1) refers to the page of every command.
write_output(man/man1/weir.1 help --man)
string(REGEX MATCHALL "Xr weir-[a-z-]+ 1 :" references "${text}")
foreach(reference IN LISTS references)
    string(REGEX REPLACE "Xr weir-([a-z-]+) 1 :" "\\1" command "${reference}")
    write_output(man/man1/weir-${command}.1 help --man ${command})
endforeach()
file(TOUCH ${FOLDER}/made)
