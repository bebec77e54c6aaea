package profile

var proxyQuestions = []Question{}
