package profile

var serverQuestions = []Question{}
