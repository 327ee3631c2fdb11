module clockbox

go 1.24
